"""How entries come about: in one INSERT, in the transaction of their change, without a secret."""

from typing import Any
from uuid import uuid4

import pytest
from auditlog import get_logentry_model
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEntry
from audit.personal import masked, scrubbed
from clients.models import Customer
from crm.changes import Action, Change, Origin, originating, report
from crm.deletion import delete_record, restore_record
from crm.users.models import User
from crm.users.services import update_user
from objects.models import Object, Unit
from objects.services import create_object, update_object
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db


def change(number: int = 1, **values: Any) -> Change:
    facts = {"address": f"ул. Мира, д. {number}", "tags": ["а"], "gps_lat": 55.75}
    return Change(**{"action": Action.CREATE, "entity_type": "object", "entity_id": uuid4(),
                     "after": facts, **values})  # fmt: skip


def inserts(captured: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in captured.captured_queries if "audit_auditentry" in q["sql"]]


@pytest.mark.parametrize("count", [1, 2, 1_000])
def test_one_statement_however_many_changes(count: int) -> None:
    changes = [change(number) for number in range(count)]
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        report(changes, actor=None)
    writing = [q["sql"] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(writing) == 1
    assert writing[0].startswith("INSERT INTO")
    assert AuditEntry.objects.count() == count
    addresses = [entry.after["address"] for entry in AuditEntry.objects.order_by("pk")]
    assert addresses == [f"ул. Мира, д. {number}" for number in range(count)]


def test_one_statement_a_service_call(cast: Cast) -> None:
    """Deleting a house of a thousand flats, and giving somebody a role, a password and their leave."""
    home = cast.object()
    Unit.objects.bulk_create(Unit(object=home, unit_number=str(n)) for n in range(1_000))
    for work in (delete_record, restore_record):
        with CaptureQueriesContext(connection) as captured:
            work(Object, home.pk, actor=cast.anna)
        assert len(inserts(captured)) == 1
    assert AuditEntry.objects.count() == 2_002
    cast.api(cast.ivan)
    changes = {"role": "SUPERVISOR", "password": "a much longer phrase", "full_name": "Иван"}
    with CaptureQueriesContext(connection) as captured:
        update_user(actor=cast.anna, user_id=cast.ivan.pk, changes=changes)
    assert len(inserts(captured)) == 1
    told = AuditEntry.objects.filter(entity_id=cast.ivan.pk).order_by("pk")
    assert [entry.action for entry in told] == ["update", "role", "password", "logout"]
    assert told[1].changes_summary == {"role": {"old": "ENGINEER", "new": "SUPERVISOR"}}


def test_a_change_rolled_back_leaves_none(cast: Cast) -> None:
    values = {"type": "MKD", "address": "ул. Мира, д. 7", "city_id": cast.moscow.pk}
    with transaction.atomic():
        create_object(actor=cast.sergei, values=values)
        assert AuditEntry.objects.count() == 1
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
    assert not Object.objects.exists()


def test_a_change_whose_entry_cannot_be_written_does_not_survive(cast: Cast) -> None:
    home = cast.object()
    api = cast.api(cast.sergei)
    name = connection.ops.quote_name(AuditEntry._meta.db_table)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name} RENAME COLUMN after_json TO elsewhere")
        with pytest.raises(DatabaseError), transaction.atomic():
            update_object(actor=cast.sergei, record_id=home.pk, changes={"status": "DONE"})
        # A defect, or a database that is away: each engine's driver calls it by another name.
        broken = {500, 503}
        path = f"/api/v1/objects/{home.pk}"
        assert api.patch(path, {"status": "DONE"}).status_code in broken
        assert api.delete(path).status_code in broken
        login = {"username": "ivan@crm.test", "password": PASSWORD}
        assert api.post("/api/v1/auth/token", login).status_code in broken
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name} RENAME COLUMN elsewhere TO after_json")
    row = Object.objects.get(pk=home.pk)
    assert (row.status, row.version, row.is_deleted) == ("NEW", 1, False)
    assert User.objects.get(pk=cast.ivan.pk).last_login is None
    assert not AuditEntry.objects.exists()


def test_personal_data_is_masked_for_everybody(cast: Cast) -> None:
    home = cast.object()
    api = cast.api(cast.anna)
    body = {"object_id": str(home.pk), "full_name": "Мария", "phone": "+79991234589",
            "notes": "звонить +79997776655 или masha@example.com"}  # fmt: skip
    made = api.post("/api/v1/customers", body).json()["id"]
    api.patch(f"/api/v1/customers/{made}", {"phone": "+79990000089"})
    assert Customer.objects.get(pk=made).phone == "+79990000089"
    api.patch(f"/api/v1/customers/{made}", {"phone": "+79990000012"})
    items = api.get(f"/api/v1/audit?entity_id={made}").json()["items"]
    last, alike, first = items
    assert first["after_json"]["phone"] == "+7 (***) ***-**89"
    assert first["after_json"]["notes"] == "звонить +7 (***) ***-**55 или ma***@example.com"
    assert alike["before_json"]["phone"] == alike["after_json"]["phone"] == "+7 (***) ***-**89"
    assert alike["changes_summary"] == {
        "phone": {"old": "+7 (***) ***-**89", "new": "+7 (***) ***-**89", "changed": True}
    }
    assert last["changes_summary"] == {
        "phone": {"old": "+7 (***) ***-**89", "new": "+7 (***) ***-**12"}
    }
    assert items[0]["actor_name"] == "Анна Администратова"


def test_masks_reach_to_any_depth_and_secrets_nowhere() -> None:
    facts = {
        "attributes": {"Phone": "+79991234567", "people": [{"email": "ivan@example.com", "age": 3}]},
        "contact_phone": ["+14155550123", None, "+7 (***) ***-**89"],
        "email": "Ivan@example.com",
        "filters": {"q": "+79991234567", "phone": {"in": ["123"]}},
        "new_password": "hunter2", "tokens": ["eyJhbGciOi"], "password_changed": True,
        "note": "see eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln, C++ 2+2=4, @home, a\x00b\ud800",
        "floor": 3, "nothing": None,
    }  # fmt: skip
    assert masked(facts) == {
        "attributes": {"Phone": "+7 (***) ***-**67", "people": [{"email": "iv***@example.com", "age": 3}]},
        "contact_phone": ["+** (***) ***-**23", None, "+7 (***) ***-**89"],
        "email": "Iv***@example.com",
        "filters": {"q": "+7 (***) ***-**67", "phone": {"in": ["***"]}},
        "new_password": "***", "tokens": "***", "password_changed": True,
        "note": "see ***, C++ 2+2=4, @home, a\ufffdb?",
        "floor": 3, "nothing": None,
    }  # fmt: skip
    assert masked(None) is None


@pytest.mark.parametrize(
    "text",
    ["ул. Мира, д. 7 + двор", "10+20", "кв. 5@", "a@b", "+7", "77:01:0001001:1234", "10:00:00Z"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrubbed(text) == text


def test_all_that_an_origin_may_be_is_stored() -> None:
    """A client may call itself anything."""
    strange = Origin(None, "r-1", "2001:db8::7", "я\x00 (+mailto:ops@example.com) " + "x" * 400)
    with transaction.atomic(), originating(strange):
        report([change()], actor=None)
    entry = AuditEntry.objects.get()
    assert (entry.cid, entry.remote_addr, len(entry.user_agent)) == ("r-1", "2001:db8::7", 300)
    assert entry.user_agent.startswith("я\ufffd (+mailto:op***@example.com) x")
    assert entry.changes_summary["gps_lat"] == {"old": None, "new": 55.75}


def test_the_library_stands_on_our_entries(cast: Cast) -> None:
    """Its own table stays empty, its signals hear nothing; what it reads of an entry works with ours."""
    assert get_logentry_model() is AuditEntry
    assert LogEntry._meta.swapped == "audit.AuditEntry"
    assert auditlog.get_models() == []
    cast.api(cast.anna).post("/api/v1/dictionaries/cities", {"name": "Омск"})
    assert AuditEntry.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM auditlog_logentry")
        assert cursor.fetchone()[0] == 0
    with transaction.atomic():
        report([change(before={"address": "ул. Мира, д. 0"})], actor=None)
    entry = AuditEntry.objects.latest()
    assert "address: ул. Мира, д. 0 → ул. Мира, д. 1" in entry.changes_str
    assert entry.changes_dict["tags"] == ["None", "['а']"]


def test_no_column_of_the_library_holds_personal_data() -> None:
    columns = {field.name for field in AuditEntry._meta.get_fields()}
    assert not columns & {
        "actor_email",
        "serialized_data",
        "object_repr",
        "changes_text",
        "additional_data",
    }
