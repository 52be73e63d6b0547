"""A supervisor of Kazan never sees or changes Moscow, whatever address of the back office they type."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from audit.models import AuditEntry
from objects.models import Object, Unit
from objects.services import update_object
from sync.refused import RefusedItem
from tests.cast import Cast
from tests.office.desk import desk

pytestmark = pytest.mark.django_db

WORDS = (
    "Тверская",
    "Мария Тайная",
    "79991234567",
    "Иван Центров",
    "Северов",
    "кв-секрет",
    "Итог тайный",
)


@dataclass
class Moscow:
    """One record of each kind in Moscow, each with a word that nobody else's has."""

    rows: dict[str, Any]
    refused: RefusedItem


@pytest.fixture
def moscow(cast: Cast) -> Moscow:
    home = cast.object(address="ул. Тверская, д. 7", responsible_user=cast.ivan)
    unit = cast.unit(home, unit_number="кв-секрет")
    customer = cast.customer(home, unit=unit, full_name="Мария Тайная", phone="+79991234567")
    visit = cast.visit(
        home,
        cast.ivan,
        customer=customer,
        outcome_text="Итог тайный",
        next_action_due_at=timezone.now(),
    )
    update_object(actor=cast.sergei, record_id=home.pk, changes={"contact_name": "Мария Тайная"})
    for row in (home, cast.ivan):
        row.refresh_from_db()
    now = timezone.now()
    refused = RefusedItem.objects.create(
        user=cast.ivan,
        fingerprint="f",
        table="objects",
        record_id=home.pk,
        status="conflict",
        item={"payload": {"address": "ул. Тверская, д. 9"}},
        error_code="CONFLICT",
        city=cast.moscow,
        created_at=now,
        refused_at=now,
    )
    return Moscow(
        {
            "objects/object": home,
            "objects/unit": unit,
            "clients/customer": customer,
            "visits/visit": visit,
            "users/user": cast.ivan,
            "audit/auditentry": AuditEntry.objects.get(entity_id=home.pk),
            "sync/refuseditem": refused,
        },
        refused,
    )


def leaked(client: Client, path: str) -> list[str]:
    text = client.get(path).content.decode()
    return [word for word in WORDS if word in text]


LISTS = (
    "objects/object",
    "objects/unit",
    "clients/customer",
    "visits/visit",
    "users/user",
    "audit/auditentry",
    "sync/refuseditem",
)
QUERIES = ("", "?q=Мария", "?q=Тверская", "?q=79991234567", "?deleted=1", "?p=2", "?o=1")


@pytest.mark.parametrize("name", LISTS)
def test_lists(cast: Cast, moscow: Moscow, name: str) -> None:
    olga, sergei = desk(cast.olga), desk(cast.sergei)
    for query in QUERIES:
        assert leaked(olga, f"/admin/{name}/{query}") == [] or query.startswith("?q="), query
    assert leaked(sergei, f"/admin/{name}/")
    # By id, in every filter that takes one.
    ids = [row.pk for row in moscow.rows.values()] + [cast.moscow.pk, cast.centre.pk, cast.ivan.pk]
    for parameter in ("city", "district", "responsible", "object", "engineer", "actor", "user"):
        for one in ids:
            answer = olga.get(f"/admin/{name}/?{parameter}={one}")
            assert answer.status_code in {200, 400}
            text = answer.content.decode()
            assert not any(word in text for word in WORDS), (parameter, one)


def test_search_finds_nothing_there(cast: Cast, moscow: Moscow) -> None:
    olga = desk(cast.olga)
    for name, query in (
        ("objects/object", "Тверская"),
        ("clients/customer", "Тайная"),
        ("visits/visit", "Итог"),
        ("users/user", "Центров"),
        ("objects/unit", "Тверская"),
    ):
        text = olga.get(f"/admin/{name}/", {"q": query}).content.decode()
        assert 'class="data-row' not in text, name
        text = desk(cast.sergei).get(f"/admin/{name}/", {"q": query}).content.decode()
        assert 'class="data-row' in text, name


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_a_record_do_not_exist(cast: Cast, moscow: Moscow, name: str) -> None:
    olga = desk(cast.olga)
    base = f"/admin/{name}/{moscow.rows[name].pk}"
    for page in ("change/", "history/", "delete/", "restore/", "deal/", ""):
        for method in (olga.get, olga.post):
            answer = method(f"{base}/{page}")
            text = answer.content.decode()
            assert answer.status_code in {301, 302, 403, 404, 405}, (page, answer.status_code)
            assert not any(word in text for word in WORDS), page
            if answer.status_code == 302:
                # Django's own short form, which only leads to the page that does not exist.
                assert olga.get(answer["Location"]).status_code == 404


def test_nothing_there_can_be_changed(cast: Cast, moscow: Moscow) -> None:
    olga = desk(cast.olga)
    before = {name: snapshot_of(row) for name, row in moscow.rows.items()}
    entries = AuditEntry.objects.exclude(action__in=["login", "logout"]).count()
    for name, row in moscow.rows.items():
        for page in ("change/", "delete/", "restore/", "deal/"):
            form = {
                "version": 1,
                "address": "ул. Чужая, д. 1",
                "unit_number": "1",
                "done": "yes",
                "_save": "1",
            }
            olga.post(f"/admin/{name}/{row.pk}/{page}", form)
        action = {
            "action": "mark_dealt_with",
            "_selected_action": [str(row.pk)],
            "select_across": "1",
        }
        olga.post(f"/admin/{name}/", action)
    for name, row in moscow.rows.items():
        row.refresh_from_db()
        assert snapshot_of(row) == before[name], name
    assert AuditEntry.objects.exclude(action__in=["login", "logout"]).count() == entries


def snapshot_of(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_ctrl_k_finds_nothing_there(cast: Cast, moscow: Moscow) -> None:
    for query in ("Тверская", "Тайная", "79991234567", "Центров"):
        for client, finds in ((desk(cast.olga), False), (desk(cast.sergei), True)):
            text = client.get("/admin/search/", {"s": query, "extended": "1"}).content.decode()
            assert ("office-found" in text) is finds, query


REFERENCES = [
    ("objects", "object", "responsible_user"),
    ("objects", "unit", "object"),
    ("clients", "customer", "object"),
    ("clients", "customer", "unit"),
    ("visits", "visit", "object"),
    ("visits", "visit", "unit"),
    ("visits", "visit", "customer"),
    ("visits", "visit", "engineer"),
    ("audit", "auditentry", "actor"),
    ("sync", "refuseditem", "user"),
]


@pytest.mark.parametrize(("app", "model", "field"), REFERENCES)
def test_select_boxes_offer_nothing_from_there(
    cast: Cast, moscow: Moscow, app: str, model: str, field: str
) -> None:
    asked = {"app_label": app, "model_name": model, "field_name": field}
    for client, finds in ((desk(cast.olga), False), (desk(cast.sergei), True)):
        for term in ("", "Тверская", "Мария", "Центров", "9991234567"):
            answer = client.get("/admin/autocomplete/", {**asked, "term": term})
            assert answer.status_code == 200
            text = answer.content.decode()
            texts = " ".join(one["text"] for one in answer.json()["results"])
            assert not any(word in texts for word in WORDS) or finds, text
        if finds:
            assert client.get("/admin/autocomplete/", {**asked, "term": ""}).json()["results"]


def test_references_to_there_are_refused(cast: Cast, moscow: Moscow) -> None:
    olga = desk(cast.olga)
    home = moscow.rows["objects/object"]
    own = cast.object(city=cast.kazan, address="ул. Баумана, д. 1")
    forms = [
        ("objects/unit/add/", {"object": home.pk, "unit_number": "1"}),
        ("clients/customer/add/", {"object": home.pk, "full_name": "Чужая"}),
        ("visits/visit/add/", {"object": home.pk, "engineer": cast.timur.pk}),
        ("visits/visit/add/", {"object": own.pk, "engineer": cast.ivan.pk}),
        (
            "objects/object/add/",
            {"type": "MKD", "status": "NEW", "address": "ул. Чужая, д. 1", "city": cast.moscow.pk},
        ),
        (
            f"objects/object/{own.pk}/change/",
            {"version": 1, "city": cast.moscow.pk, "initial-city": cast.kazan.pk},
        ),
        (f"objects/object/{own.pk}/change/", {"version": 1, "responsible_user": cast.ivan.pk}),
    ]
    before = AuditEntry.objects.count()
    for path, form in forms:
        answer = olga.post(f"/admin/{path}", {**form, "_save": "1"})
        assert answer.status_code == 200, (path, answer.status_code)
        assert "Тверская" not in answer.content.decode()
    assert AuditEntry.objects.count() == before
    assert Unit.objects.count() == 1
    assert Object.objects.filter(city=cast.kazan).count() == 1


def test_e_mails_and_phones_are_not_guessed_through_the_address(cast: Cast, moscow: Moscow) -> None:
    olga = desk(cast.olga)
    for name, query in (
        ("users/user", "password__startswith=argon2"),
        ("users/user", "email__contains=a"),
        ("objects/object", "responsible_user__email__startswith=i"),
        ("objects/object", "search_text__contains=x"),
        ("clients/customer", "phone__startswith=%2B7"),
        ("audit/auditentry", "before__contains=x"),
    ):
        assert olga.get(f"/admin/{name}/?{query}").status_code == 400, query


def admin_paths() -> list[str]:
    """Every address of the back office, with a name."""
    found = []

    def walk(patterns: list[Any], base: str) -> None:
        for one in patterns:
            if isinstance(one, URLResolver):
                walk(one.url_patterns, base + str(one.pattern))
            elif isinstance(one, URLPattern):
                found.append(base + str(one.pattern))

    admin = next(p for p in get_resolver().url_patterns if str(p.pattern) == "admin/")
    walk(admin.url_patterns, "/admin/")
    return found


OPEN = {"/admin/login/", "/admin/language/", "/admin/logout/", "/admin/jsi18n/"}


def test_no_address_answers_to_somebody_who_is_not_in(cast: Cast, moscow: Moscow) -> None:
    row = moscow.rows["objects/object"].pk
    nobody = Client(raise_request_exception=False)
    for path in admin_paths():
        concrete = path.replace("<path:object_id>", str(row)).replace("(?P<url>.*)$", "x")
        if concrete in OPEN or "<" in concrete or "^" in concrete:
            continue
        answer = nobody.get(concrete)
        assert answer.status_code in {302, 404, 405}, concrete
        if answer.status_code == 302 and concrete != "/admin/password_change/done/":
            assert "/admin/login/" in answer["Location"], concrete
