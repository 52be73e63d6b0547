"""Nobody changes or deletes an entry, whichever way they try; only pruning ends the oldest, and says so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit import pruning
from audit.kept import GUARD, PRUNE_GATE
from audit.models import AuditEntry
from crm.changes import Action, Change, report
from crm.db import violated_constraint
from crm.db.gates import gate_opened

TABLE = AuditEntry._meta.db_table
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def told(count: int = 1, *, days_ago: int = 0) -> None:
    with time_machine.travel(NOW - timedelta(days=days_ago), tick=False), transaction.atomic():
        report(
            [Change(Action.CREATE, "object", uuid4(), after={"n": n}) for n in range(count)],
            actor=None,
        )


def sql(statement: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table=TABLE))

    return run


def save_again() -> None:
    entry = AuditEntry.objects.get()
    entry.actor_name = "somebody else"
    entry.save()


WAYS: dict[str, Callable[[], Any]] = {
    "save": save_again,
    "delete": lambda: AuditEntry.objects.get().delete(),
    "update of a queryset": lambda: AuditEntry.objects.update(actor_name="somebody else"),
    "delete of a queryset": lambda: AuditEntry.objects.all().delete(),
    "bulk_update": lambda: AuditEntry.objects.bulk_update(AuditEntry.objects.all(), ["version"]),
    "bulk_create over it": lambda: AuditEntry.objects.bulk_create(
        AuditEntry.objects.all(), update_conflicts=True, unique_fields=["id"], update_fields=["version"]
    ),
    "raw UPDATE": sql("UPDATE {table} SET actor_name = 'somebody else'"),
    "raw DELETE": sql("DELETE FROM {table}"),
    "raw upsert": sql(
        "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT (id) DO UPDATE SET version = 7"
    ),
    "the library's command": lambda: call_command("auditlogflush", yes=True, verbosity=0),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_an_entry_stays_as_it_is(way: str) -> None:
    told()
    before = list(AuditEntry.objects.values())
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        WAYS[way]()
    violation = violated_constraint(caught.value)
    assert violation is not None
    assert (violation.kind, violation.name) == ("guard", GUARD)
    assert list(AuditEntry.objects.values()) == before


@pytest.mark.sqlite_only
@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "REPLACE INTO {table} SELECT * FROM {table}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "UPDATE OR REPLACE {table} SET version = 7",
        # Another id in the very place of the old row.
        (
            "INSERT OR REPLACE INTO {table} (rowid, id, action, entity_type, occurred_at)"
            " SELECT rowid, 'x', action, entity_type, occurred_at FROM {table}"
        ),
    ],
)
def test_not_by_replacing_either(statement: str) -> None:
    told()
    before = list(AuditEntry.objects.values())
    with pytest.raises(IntegrityError, match=GUARD), transaction.atomic():
        sql(statement)()
    assert list(AuditEntry.objects.values()) == before


@pytest.mark.postgresql_only
@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE {table}",
        "TRUNCATE users_user CASCADE",
        "UPDATE {table} SET version = 7 WHERE false",
    ],
)
def test_not_by_truncating_either(statement: str) -> None:
    told()
    # Or the reference to the actor, checked at the end of the transaction, would be in the way first.
    sql("SET CONSTRAINTS ALL IMMEDIATE")()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        sql(statement)()
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db
def test_the_gate_is_for_deleting_only_and_closes_behind_it() -> None:
    told()
    with pytest.raises(IntegrityError), transaction.atomic(), gate_opened(connection, PRUNE_GATE):
        AuditEntry.objects.update(version=7)
    with transaction.atomic(), gate_opened(connection, PRUNE_GATE):
        pass
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_the_gate_closes_with_its_transaction_whatever_happens() -> None:
    told()
    with pytest.raises(RuntimeError, match="transaction"), gate_opened(connection, PRUNE_GATE):
        pass
    with (
        pytest.raises(ZeroDivisionError),
        transaction.atomic(),
        gate_opened(connection, PRUNE_GATE),
    ):
        raise ZeroDivisionError
    with pytest.raises(IntegrityError):
        AuditEntry.objects.all().delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [1, 2])
def test_each_test_that_commits_begins_with_an_empty_trail(run: int) -> None:
    assert not AuditEntry.objects.exists()
    told()


# --- pruning --------------------------------------------------------------------------------------


@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_pruning_deletes_what_is_old_and_leaves_an_entry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for age in (800, 366, 364, 1):
        told(3, days_ago=age)
    call_command("audit_prune", "--older-than", "365d")
    assert "6" in capsys.readouterr().out
    newest, *others = AuditEntry.objects.order_by("-timestamp", "-pk")
    assert [(NOW - entry.timestamp).days for entry in others] == [1, 1, 1, 364, 364, 364]
    said = (newest.action, newest.entity_type, newest.entity_id, newest.actor)
    assert said == ("prune", "audit", None, None)
    assert newest.after == {
        "deleted": 6,
        "older_than": "2025-07-01T12:00:00Z",
        "first": "2024-04-22T12:00:00Z",
        "last": "2025-06-30T12:00:00Z",
    }
    # Nothing more to do, nothing more to say.
    call_command("audit_prune", "--older-than", "365d", verbosity=0)
    assert AuditEntry.objects.count() == 7


@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_pruning_goes_in_batches_and_each_tells_of_itself() -> None:
    for age in range(400, 425):
        told(days_ago=age)
    batches: list[int] = []
    with CaptureQueriesContext(connection) as captured:
        gone = pruning.prune(older_than=timedelta(days=365), batch=10, on_progress=batches.append)
    assert (gone, batches) == (25, [10, 10, 5])
    assert [entry.after["deleted"] for entry in AuditEntry.objects.order_by("pk")] == [10, 10, 5]
    deleting = [q["sql"] for q in captured if q["sql"].startswith("DELETE")]
    assert len(deleting) == 3
    assert all(len(statement) < 300 for statement in deleting)


@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_pruning_that_cannot_tell_of_itself_deletes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(days_ago=400)
    monkeypatch.setattr(pruning, "TRAIL", None)
    with pytest.raises(IntegrityError):
        call_command("audit_prune", "--older-than", "365d", verbosity=0)
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("value", [None, "365", "0d", "-1d", "year"])
def test_nonsense_is_refused_with_a_sentence(value: str | None) -> None:
    arguments = [] if value is None else [f"--older-than={value}"]
    with pytest.raises(CommandError, match=r"older-than"):
        call_command("audit_prune", *arguments)
