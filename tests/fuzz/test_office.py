"""The back office: parameters of its addresses and fields of its forms with every odd value.

Whatever comes: a page or a refusal, never a defect; looking writes nothing. What the filters of a list are
called is asked of the list itself.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from crm.backoffice.filters import OfficeFilter
from sync.refused import RefusedItem
from tests.cast import PASSWORD, Cast
from tests.fuzz.answers import content, in_time, nothing_written
from tests.fuzz.effort import HUNT, some
from tests.fuzz.hostile import NO_IDS, TEXTS
from tests.office.desk import LOGIN, browser, change_form, desk, form_data

pytestmark = pytest.mark.django_db

# Beside its filters: what Django's lists and forms take.
COMMON = (
    "q",
    "p",
    "o",
    "e",
    "all",
    "_popup",
    "_to_field",
    "_changelist_filters",
    "unknown",
    "id__in",
)
PAGES = {
    "jobs/": ("p", "kind", "status", "whose", "unknown"),
    "imports/": ("page", "unknown"),
    "call-backs/": ("when", "q", "p", "unknown"),
    "map/": ("q", "bbox", "zoom", "hide", "city", "status", "unknown"),
    "map/clusters/": ("q", "bbox", "zoom", "hide", "city", "status", "unknown"),
    "search/": ("s", "extended", "unknown"),
    "autocomplete/": ("term", "page", "app_label", "model_name", "field_name", "city", "object", "unknown"),
    "bulk/supervisors/": ("term", "q", "page", "unknown"),
    "login/": ("next", "unknown"),
    "": ("unknown", "city"),
}  # fmt: skip
# What a page asks for before it looks at anything else.
GIVEN = {
    "map/clusters/": {"bbox": "37,55,38,56", "zoom": "10"},
    "autocomplete/": {"app_label": "visits", "model_name": "visit", "field_name": "object"},
}
MODELS = sorted(model._meta.label_lower.replace(".", "/") for model in admin.site._registry)


def answered(client: Client, method: str, path: str, data: Any = None) -> Any:
    """A page, a redirect or a refusal. Fails on a defect and on an answer that takes too long."""
    with in_time():
        answer = getattr(client, method)(path, data or {})
        body = content(answer)
    assert answer.status_code < 500, (path, data, body[:500])
    assert answer["X-Request-ID"]
    assert answer["Content-Security-Policy"]
    assert b"Traceback" not in body
    return answer


@pytest.fixture
def anna(cast: Cast, ground: dict[str, str]) -> Client:
    """An administrator at her desk, and an edit of a phone that was refused."""
    now = timezone.now()
    RefusedItem.objects.create(
        user=cast.ivan, fingerprint="f", table="objects", record_id=ground["objects"], status="conflict",
        item={"payload": {"address": "ул. Тверская, д. 9"}}, error_code="CONFLICT", city=cast.moscow,
        created_at=now, refused_at=now,
    )  # fmt: skip
    return desk(cast.anna)


def parameters_of(path: str) -> list[str]:
    """What the list of a model may be narrowed by."""
    app, model = path.split("/")
    pages = next(
        p for m, p in admin.site._registry.items() if m._meta.label_lower == f"{app}.{model}"
    )
    filters = pages.get_list_filter(RequestFactory().get("/"))
    names = [
        name
        for one in filters
        if isinstance(one, type) and issubclass(one, OfficeFilter)
        for name in one.parameters
    ]
    return [*names, *COMMON]


def tried(client: Client, path: str, names: Iterable[str], few: int, **given: str) -> None:
    """Each of the parameters with some values, plain and twice."""
    for name in names:
        for value in some(TEXTS, few, path, name):
            answered(client, "get", f"{path}?{urlencode({**given, name: value})}")
            if HUNT:
                answered(client, "get", f"{path}?{urlencode([(name, value), (name, '1')])}")


@pytest.mark.parametrize("path", MODELS)
def test_every_parameter_of_every_list(anna: Client, path: str) -> None:
    names = parameters_of(path)
    with nothing_written():
        tried(anna, f"/admin/{path}/", names, 2)
        # The end of the calendar, which somebody's next day lies beyond.
        for name in names:
            for value in ("9999-12-31", "0001-01-01", "\x00"):
                if name.endswith(("_from", "_to")) or value == "\x00":
                    answered(anna, "get", f"/admin/{path}/?{urlencode({name: value})}")


@pytest.mark.parametrize("path", PAGES)
def test_every_parameter_of_every_page(anna: Client, path: str) -> None:
    client = browser() if path == "login/" else anna
    with nothing_written():
        tried(client, f"/admin/{path}", PAGES[path], 5, **GIVEN.get(path, {}))


FORMS = [path for path in MODELS if path.split("/")[0] not in {"audit", "sync"}]


@pytest.mark.parametrize("path", FORMS)
def test_a_new_record_begun_with_anything(anna: Client, path: str) -> None:
    """The first values of a form may stand in its address."""
    fields = form_data(anna.get(f"/admin/{path}/add/").content.decode())
    with nothing_written():
        tried(anna, f"/admin/{path}/add/", [*fields, "unknown", "_popup", "_to_field"], 3)


@pytest.mark.parametrize("path", FORMS)
def test_every_field_of_every_form(anna: Client, ground: dict[str, str], path: str) -> None:
    """New and old records. What was taken can be looked at."""
    words = {"city": "cities", "visit": "visits", "object": "objects", "district": "districts"}
    name = path.split("/")[1]
    pk = ground[words.get(name, f"{name}s")]
    for page in ("add/", f"{pk}/change/"):
        form = change_form(anna, f"/admin/{path}/{page}")
        for field in [*form, "unknown", "_popup", "_to_field", "_saveasnew"]:
            for value in some(TEXTS, 2, path, page, field):
                with transaction.atomic():
                    answer = answered(
                        anna, "post", f"/admin/{path}/{page}", {**form, field: value, "_save": "1"}
                    )
                    if answer.status_code == 302:
                        answered(anna, "get", f"/admin/{path}/")
                        answered(anna, "get", f"/admin/{path}/{pk}/change/")
                    transaction.set_rollback(True)


@pytest.mark.parametrize("path", MODELS)
def test_only_columns_are_referred_by(anna: Client, path: str) -> None:
    """Relations of either direction are fields too, and some are called `+` or `other+`."""
    model = apps.get_model(*path.split("/"))
    names = {field.name for field in model._meta.get_fields(include_hidden=True)}
    with nothing_written():
        for name in names | set(model._meta.fields_map):
            for page in ("", "add/"):
                answer = answered(
                    anna, "get", f"/admin/{path}/{page}?{urlencode({'_to_field': name})}"
                )
                assert answer.status_code in {200, 400, 403}, (name, answer.status_code)


@pytest.mark.parametrize("path", MODELS)
def test_ids_that_are_none(anna: Client, path: str) -> None:
    with nothing_written():
        for part in some(NO_IDS, 6, path):
            for page in ("change/", "delete/", "history/", "restore/", "deal/", ""):
                answer = answered(anna, "get", f"/admin/{path}/{part}/{page}")
                assert answer.status_code in {301, 302, 400, 403, 404, 405}, (part, page)


@pytest.mark.parametrize("path", MODELS)
def test_bulk_actions_with_anything(
    cast: Cast, anna: Client, ground: dict[str, str], path: str
) -> None:
    pages = next(
        p for m, p in admin.site._registry.items() if m._meta.label_lower.replace(".", "/") == path
    )
    request = RequestFactory().get("/")
    request.user = cast.anna
    names = list(pages.get_actions(request))
    # Beyond every integer of the databases, too.
    for value in (*some(TEXTS, 6, path), "9" * 19, "-9223372036854775809"):
        for form in (
            {"action": value},
            {"action": names[0] if names else "delete_selected", "_selected_action": value},
            {"action": names[-1] if names else "x", "select_across": value, "_selected_action": ground["objects"]},
            {"action": names[0] if names else "x", "index": value, "_selected_action": value, "step": value},
        ):  # fmt: skip
            with transaction.atomic():
                answered(anna, "post", f"/admin/{path}/", form)
                transaction.set_rollback(True)


def test_small_forms_with_anything(anna: Client, ground: dict[str, str]) -> None:
    visit = ground["visits"]
    forms = [
        (f"call-backs/{visit}/", ("choice", "version", "day"), {"choice": "day", "version": "1", "day": "2026-01-01"}),
        (f"visit-moves/{visit}/", ("move", "version", "outcome_text", "choice"), {"version": "1", "move": "start"}),
        ("language/", ("language", "next"), {"language": "ru"}),
        ("imports/", ("kind",), {"kind": "objects"}),
        ("password_change/", ("old_password", "new_password1", "new_password2"), {"old_password": PASSWORD}),
    ]  # fmt: skip
    for path, names, given in forms:
        for name in names:
            for value in (*some(TEXTS, 12, path, name), "9999-12-31", "0001-01-01"):
                with transaction.atomic():
                    answered(anna, "post", f"/admin/{path}", {**given, name: value})
                    transaction.set_rollback(True)


def test_whatever_somebody_logs_in_with(cast: Cast) -> None:
    client = browser()
    for value in some(TEXTS, 25, "login"):
        for form in (
            {"username": value, "password": "x"},
            {"username": "x@crm.test", "password": value},
        ):
            with in_time():
                answer = client.post(LOGIN, form)
            assert answer.status_code < 500, value
        client.cookies["sessionid"] = (
            value.encode("ascii", "replace").decode().replace("\x00", "")[:3000]
        )
        assert client.get("/admin/").status_code < 500
        client.cookies.clear()
