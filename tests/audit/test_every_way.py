"""Every way of changing every entity leaves exactly one entry per changed record, and nothing else does."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.urls import get_resolver
from rest_framework.test import APIClient

from audit.models import AuditEntry
from crm.ids import uuid7
from crm.jobs.kinds import kind_of
from crm.jobs.running import perform
from crm.users.models import User
from objects.models import Object
from objects.services import create_object
from tests.audit.witness import ADDRESS, CLIENT, Origin, told_models, witnessed
from tests.cast import PASSWORD, Cast
from tests.office.bulk import hidden
from tests.office.desk import desk
from visits.models import Visit

pytestmark = pytest.mark.django_db

NOBODY = Origin(actor=None)
NEW_PASSWORD = "a much longer phrase"


class Walker:
    """Somebody who uses the API, each request watched."""

    def __init__(self, cast: Cast, user: User | None) -> None:
        self.user = user
        self.client: APIClient = cast.api(user)
        self.client.defaults |= {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": CLIENT}
        self.requests = 0

    @contextmanager
    def step(self, *events: str, changes: int, actor: User | None) -> Generator[dict[str, str]]:
        self.requests += 1
        name = f"step-{self.requests}-{self.user.pk if self.user else 'nobody'}"
        with witnessed(Origin(actor, name, ADDRESS, CLIENT), *events, changes=changes):
            yield {"x-request-id": name}

    def does(
        self, method: str, path: str, body: Any = None, *events: str,
        changes: int = 1, status: int = 200, actor: User | None = None,
    ) -> Any:  # fmt: skip
        """Ask for it, watched: `changes` records change, and `events` happen."""
        with self.step(*events, changes=changes, actor=actor or self.user) as headers:
            answer = getattr(self.client, method)(f"/api/v1/{path}", body, headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


def test_objects_and_what_hangs_on_them(cast: Cast) -> None:
    sergei, anna, ivan = (Walker(cast, user) for user in (cast.sergei, cast.anna, cast.ivan))
    body = {
        "type": "MKD", "address": "ул. Ёлочная, д. 5", "contact_phone": "8 999 123-45-67",
        "district_id": str(cast.centre.pk), "gps_lat": 55.75, "gps_lng": 37.61, "tags": ["а"],
    }  # fmt: skip
    home = sergei.does("post", "objects", body, status=201)["id"]
    ivan.does("patch", f"objects/{home}", {"status": "INTEREST", "version": 1})
    # What an engineer sees of a phone, sent back, and what was there already, change nothing.
    same = {"contact_phone": "+7 (***) ***-**67", "status": "INTEREST"}
    ivan.does("patch", f"objects/{home}", same, changes=0)
    ivan.does("patch", f"objects/{home}", {"status": "DONE", "version": 1}, changes=0, status=409)
    sergei.does("patch", f"objects/{home}", {"contact_phone": "+79990000067", "force": True})
    sergei.does("patch", f"objects/{home}", {"responsible_user_id": str(cast.ivan.pk)})
    ivan.does("post", f"objects/{home}/delegate?supervisor_id={cast.sergei.pk}")

    flat = ivan.does("post", "units", {"object_id": home, "unit_number": "12"}, status=201)["id"]
    ivan.does(
        "patch",
        f"units/{flat}",
        {"floor": 3, "attributes": {"door": "steel", "phone": "+79991112233"}},
    )
    person = {"object_id": home, "unit_id": flat, "full_name": "Мария", "phone": "+79991234568"}
    customer = ivan.does("post", "customers", person, status=201)["id"]
    ivan.does("patch", f"customers/{customer}", {"satisfied": True, "preferred_call_time": "18:30"})
    ivan.does("post", "customers", person, changes=0, status=409)

    plan = {"object_id": home, "customer_id": customer, "scheduled_at": "2030-01-01T10:00:00Z"}
    visit = ivan.does("post", "visits", plan, status=201)["id"]
    ivan.does("patch", f"visits/{visit}", {"unit_id": flat})
    ivan.does("post", f"visits/{visit}/start", {})
    done = {"outcome_text": "Подключили", "version": 3, "interests": ["TV"]}
    ivan.does("post", f"visits/{visit}/complete", done)
    sergei.does("post", f"visits/{visit}/reopen", {})
    sergei.does("patch", f"visits/{visit}", {"engineer_id": str(cast.pyotr.pk)})
    sergei.does("post", f"visits/{visit}/cancel", {})
    other = ivan.does("post", "visits", plan, status=201)["id"]

    for kind, record in (("visits", other), ("customers", customer), ("units", flat)):
        sergei.does("delete", f"{kind}/{record}", status=204)
        anna.does("post", f"{kind}/{record}/restore")
    anna.does("post", f"units/{flat}/restore", changes=0)
    # With its unit, its customer and two visits.
    sergei.does("delete", f"objects/{home}", changes=5, status=204)
    sergei.does("delete", f"objects/{home}", changes=0, status=404)
    anna.does("post", f"objects/{home}/restore", changes=5)
    ivan.does("delete", f"objects/{home}", changes=0, status=403)


def test_edits_made_offline(cast: Cast) -> None:
    """`sync/batch`: one entry per record, none for what was refused or sent again."""
    ivan = Walker(cast, cast.ivan)
    home, person, visit = (str(uuid7()) for _ in range(3))

    def item(table: str, record: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"client_generated_id": record, "table_name": table, "payload": payload, **more}

    new = [
        item("visits", visit, {"object_id": home, "customer_id": person}),
        item("customers", person, {"object_id": home, "phone": "+79991234599", "full_name": "Зоя"}),
        item("objects", home, {"address": "ул. Кленовая, д. 7", "type": "MKD"}),
        item("units", str(uuid7()), {"object_id": str(uuid7()), "unit_number": "1"}),
    ]
    ivan.does("post", "sync/batch", {"items": new}, changes=3)
    ivan.does("post", "sync/batch", {"items": new}, changes=0)
    edits = [
        item("objects", home, {"status": "INTEREST"}, version=1),
        item("objects", home, {"contact_name": "Зоя"}, version=1),
        item("visits", visit, {"status": "DONE", "outcome_text": "Да"}, version=1),
    ]
    answer = ivan.client.post("/api/v1/sync/batch", {"items": edits})
    assert [one["status"] for one in answer.json()["results"]] == ["updated"] * 3
    told = AuditEntry.objects.filter(action="update", entity_id__in=[home, visit])
    assert {entry.actor_id for entry in told} == {cast.ivan.pk}


def test_people(cast: Cast) -> None:
    anna, sergei, ivan = (Walker(cast, user) for user in (cast.anna, cast.sergei, cast.ivan))
    nina = {"email": "Nina@crm.test", "full_name": "Нина", "role": "ENGINEER", "phone": "+79160000001",
            "password": "another long phrase"}  # fmt: skip
    made = sergei.does("post", "users", nina, status=201)["id"]
    sergei.does("post", "users", nina, changes=0, status=409)
    sergei.does("patch", f"users/{made}", {"phone": "+79160000201"})
    anna.does("patch", f"users/{made}", {"email": "ninotchka@crm.test"})
    anna.does("patch", f"users/{made}", {"role": "SUPERVISOR"}, "role")
    ivan.does("patch", "users/me", {"full_name": "Иван Петрович", "phone": "+79160000002"})
    cast.ivan.refresh_from_db()
    # Ivan's one session ends with his password.
    anna.does(
        "patch",
        f"users/{cast.ivan.pk}",
        {"password": NEW_PASSWORD},
        "password",
        "logout",
        changes=0,
    )
    cast.api(cast.timur)
    anna.does("patch", f"users/{cast.timur.pk}", {"is_active": False}, "logout")
    anna.does("patch", f"users/{cast.anna.pk}", {"is_active": False}, changes=0, status=409)


def test_logging_in_and_out(cast: Cast) -> None:
    nobody = Walker(cast, None)
    right = {"username": "Ivan@crm.test", "password": PASSWORD}
    wrong = {"username": "ivan@crm.test", "password": "wrong"}
    unknown = {"username": "nobody@crm.test", "password": PASSWORD}
    pair = nobody.does("post", "auth/token", right, "login", changes=0, actor=cast.ivan)
    nobody.does("post", "auth/token", wrong, "login_failed", changes=0, status=401)
    nobody.does("post", "auth/token", unknown, "login_failed", changes=0, status=401)
    token = {"refresh_token": pair["refresh_token"]}
    nobody.does("post", "auth/refresh", token, changes=0, actor=cast.ivan)
    # A dead one again: thief or owner, the session ends.
    nobody.does("post", "auth/refresh", token, "logout", changes=0, status=401, actor=cast.ivan)
    ivan = Walker(cast, cast.ivan)
    cast.api(cast.ivan)
    both = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    ivan.does("post", "auth/password", {**both, "old_password": "wrong"}, changes=0, status=422)
    ivan.does("post", "auth/password", both, "password", "logout", changes=0, status=204)
    ivan.does("post", "auth/logout", None, "logout", changes=0, status=204)
    ivan.does("get", "users/me", None, changes=0, status=401)
    reasons = AuditEntry.objects.filter(action="logout").order_by("pk")
    assert [entry.after.get("reason") for entry in reasons] == [
        "refresh_token_reused", "password_changed", None,
    ]  # fmt: skip


def test_dictionaries(cast: Cast) -> None:
    anna = Walker(cast, cast.anna)
    city = anna.does("post", "dictionaries/cities", {"name": "Омск"}, status=201)["id"]
    anna.does("patch", f"dictionaries/cities/{city}", {"time_zone": "Asia/Omsk"})
    body = {"name": "Советский", "city_id": city}
    district = anna.does("post", "dictionaries/districts", body, status=201)["id"]
    anna.does("patch", f"dictionaries/districts/{district}", {"name": "Кировский"})
    anna.does("delete", f"dictionaries/cities/{city}", changes=0, status=409)
    anna.does("delete", f"dictionaries/districts/{district}", status=204)
    anna.does("delete", f"dictionaries/cities/{city}", status=204)
    cities = AuditEntry.objects.filter(entity_type__in=["city", "district"])
    assert {entry.city_id for entry in cities} == {UUID(city)}


class Clerk:
    """Somebody in the back office, each request watched."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = desk(user, REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=CLIENT)
        self.requests = 0

    def does(
        self,
        path: str,
        *events: str,
        changes: int = 1,
        code: int = 302,
        actor: User | None = None,
        **form: Any,
    ) -> Any:
        """Send the form: `changes` records change, and `events` happen."""
        self.requests += 1
        name = f"desk-{self.requests}-{self.user.pk}"
        with witnessed(Origin(actor or self.user, name, ADDRESS, CLIENT), *events, changes=changes):
            answer = self.client.post(f"/admin/{path}", form, headers={"x-request-id": name})
        assert answer.status_code == code, answer.content.decode()
        return answer


def test_the_back_office(cast: Cast) -> None:
    """Each form of it that writes: one entry per record, from the person at the desk."""
    sergei, anna = Clerk(cast.sergei), Clerk(cast.anna)
    place = {"type": "MKD", "status": "NEW", "address": "ул. Ёлочная, д. 9", "city": cast.moscow.pk}
    sergei.does("objects/object/add/", **place, contact_phone="8 999 123-45-67")
    home = Object.objects.get().pk
    sergei.does(f"objects/object/{home}/change/", **place | {"status": "DONE"}, version=1)
    sergei.does(
        f"objects/object/{home}/change/", **place | {"tags": "а"}, version=1, changes=0, code=409
    )
    sergei.does("objects/unit/add/", object=home, unit_number="12")
    sergei.does("clients/customer/add/", object=home, full_name="Мария", phone="+79991234568")
    sergei.does("visits/visit/add/", object=home, engineer=cast.ivan.pk)
    sergei.does(f"objects/object/{home}/delete/", changes=4)
    anna.does(f"objects/object/{home}/restore/", changes=4)
    nina = {
        "email": "nina@crm.test",
        "full_name": "Нина",
        "role": "ENGINEER",
        "password": "another long phrase",
    }
    sergei.does("users/user/add/", **nina)
    made = User.objects.get(email="nina@crm.test").pk
    anna.does(
        f"users/user/{made}/change/",
        "role",
        **{**nina, "role": "SUPERVISOR", "password": "", "is_active": "on"},
    )
    anna.does("territory/city/add/", name="Омск", time_zone="Asia/Omsk")
    cast.api(cast.sergei)
    words = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    sergei.does("password_change/", "password", "logout", changes=0, **words)
    sergei.does("logout/", "logout", changes=0)
    nobody = Clerk(cast.anna)
    nobody.does("login/", "login", changes=0, username="anna@crm.test", password=PASSWORD)
    nobody.client.logout()


def test_commands(cast: Cast, tmp_path: Path) -> None:
    with witnessed(NOBODY):
        call_command("seed_dictionaries", verbosity=0)
    with witnessed(NOBODY, changes=0):
        call_command("seed_dictionaries", verbosity=0)
    with witnessed(NOBODY, changes=1):
        call_command("create_admin", "boss@crm.test", "a long enough phrase", verbosity=0)
    file = tmp_path / "houses.csv"
    file.write_text(
        "address;city;rooms\nул. Мира, д. 1;Москва;3\nул. Мира, д. 2;Москва;\n", encoding="utf-8"
    )
    arguments = ("import_objects", str(file), "--units-from", "rooms")
    with witnessed(NOBODY, changes=5):
        call_command(*arguments, verbosity=0)
    with witnessed(NOBODY, changes=0):
        call_command(*arguments, verbosity=0)
    file.write_text("address;city;status\nул. Мира, д. 1;Москва;DONE\n", encoding="utf-8")
    with witnessed(NOBODY, changes=0):
        call_command("import_objects", str(file), "--dry-run", verbosity=0)
    with witnessed(NOBODY, changes=1):
        call_command("import_objects", str(file), verbosity=0)


def test_the_demo(cast: Cast) -> None:
    with witnessed(NOBODY):
        call_command("seed_demo", "--objects", "7", verbosity=0)
    assert AuditEntry.objects.filter(entity_type="visit", action="create").exists()
    with witnessed(NOBODY, changes=0):
        call_command("seed_demo", "--objects", "7", verbosity=0)
    with witnessed(NOBODY):
        call_command("seed_demo", "--objects", "9", verbosity=0)


def test_the_witness_sees_what_is_not_told(cast: Cast) -> None:
    """The guard itself: a write past the services, and a report of what did not happen, are found."""
    home = cast.object()
    with pytest.raises(AssertionError), witnessed(NOBODY):
        Object.objects.filter(pk=home.pk).update(status="DONE")
    actor = Origin(cast.sergei)
    values = {"type": "MKD", "address": "ул. Мира, д. 7", "city_id": cast.moscow.pk}

    def tells_something_else() -> None:
        with witnessed(actor), transaction.atomic():
            made = create_object(actor=cast.sergei, values=values)
            Object.objects.filter(pk=made.pk).update(address="ул. Мира, д. 8")

    with pytest.raises(AssertionError):
        tells_something_else()


@pytest.mark.django_db(transaction=True)
def test_actions_on_many_records(cast: Cast) -> None:
    """Each record has its entry, by the person at the desk; asking changes nothing."""
    sergei, anna = Clerk(cast.sergei), Clerk(cast.anna)
    homes = [cast.object() for _ in range(3)]
    ids = [home.pk for home in homes]

    def does(clerk: Clerk, path: str, action: str, rows: Any, changes: int, **form: Any) -> None:
        chosen = {"action": action, "index": "0", "_selected_action": [str(one) for one in rows]}
        page = clerk.does(path, changes=0, code=200, **chosen)
        clerk.does(path, changes=changes, **hidden(page.content.decode()), **form)

    listed, deleted = "objects/object/", "objects/object/?deleted=1"
    does(sergei, listed, "objects.assign", ids, 3, person=cast.ivan.pk)
    does(sergei, listed, "objects.assign", ids, 0, person=cast.ivan.pk)
    does(sergei, listed, "objects.delegate", ids, 3, supervisor_id=cast.sergei.pk)
    does(sergei, listed, "objects.status", ids, 3, status="DONE")
    does(sergei, listed, "visits.plan", ids, 3, engineer=cast.ivan.pk, day="2030-01-01")
    visits = Visit.objects.values_list("pk", flat=True)
    does(sergei, "visits/visit/", "visits.reassign", visits, 3, engineer=cast.pyotr.pk)
    does(sergei, "visits/visit/", "visits.move", visits, 3, day="2030-01-02")
    does(sergei, "visits/visit/", "visits.cancel", visits, 3)
    does(sergei, listed, "objects.object.delete", ids, 6)
    does(anna, deleted, "objects.object.restore", ids, 6)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("reports_path")
def test_exports(cast: Cast) -> None:
    """A job is no entity: what is told is that a file was made, of what, for whom, at whose request."""
    sergei = Walker(cast, cast.sergei)
    body = {"entity": "objects", "format": "csv", "filters": {"q": "Тверская"}}
    asked = sergei.does("post", "reports/export", body, changes=0, status=201)["id"]
    sergei.does("post", "reports/export", body, changes=0)
    sergei.does("post", "reports/preview", {"entity": "objects"}, changes=0)
    other = sergei.does("post", "reports/export", {"entity": "units"}, changes=0, status=201)["id"]
    sergei.does("post", f"reports/jobs/{other}/cancel", changes=0)
    origin = Origin(cast.sergei, f"step-1-{cast.sergei.pk}", ADDRESS, CLIENT)
    with witnessed(origin, "export", changes=0):
        perform(kind_of("reports.ReportJob"), UUID(asked))
    with witnessed(NOBODY, changes=0):
        perform(kind_of("reports.ReportJob"), UUID(other))
        call_command("reports_cleanup", verbosity=0)
        call_command("jobs_rescue", verbosity=0)
    sergei.does("get", f"reports/jobs/{asked}", changes=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("reports_path")
def test_imports_at_the_desk(cast: Cast) -> None:
    """Files, columns and checks are no entities; of the run each record has its entry."""
    sergei = Clerk(cast.sergei)
    rows = "Адрес;Город\nул. Мира, д. 1;Москва\nул. Мира, д. 2;Москва\n"
    file = SimpleUploadedFile("houses.csv", rows.encode())
    columns = sergei.does("imports/", changes=0, kind="objects", file=file)["Location"]
    here = columns.removeprefix("/admin/").removesuffix("columns/")
    chosen = {"header_line": "1", "column-0": "address", "column-1": "city"}
    sergei.does(f"{here}columns/", changes=0, **chosen)
    sergei.does(f"{here}run/", changes=2)
    sergei.does(f"{here}run/", changes=0)
    sergei.does(f"{here}cancel/", changes=0)
    sergei.does(f"{here}discard/", changes=0)


# Addresses that change nothing, however they are asked.
READING = re.compile(
    r"analytics|clusters|sync/changes|my-tasks|reminders|reports/columns|download$|supervisors$|^audit|openapi"
)


def test_every_entity_and_every_writing_address_is_walked() -> None:
    """What is new here must be walked above: its name stands in this file, or it is listed as reading."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert {model._meta.model_name for model in told_models()} == {
        "object", "unit", "customer", "visit", "user", "city", "district",
    }  # fmt: skip
    api = next(p for p in get_resolver().url_patterns if str(p.pattern) == "api/v1/")
    paths = {
        str(one.pattern).strip("^$")
        for included in api.url_patterns
        for one in included.url_patterns
    }
    for path in paths:
        parts = [part for part in re.split(r"/?\(\?P<pk>[^)]*\)/?", path) if part]
        if not READING.search(path):
            assert all(part in text for part in parts), path
