"""Pushes against the audit trail: one entry for each effect, and no value that was acknowledged is lost."""

import random
from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from audit.models import AuditEntry
from audit.personal import masked
from crm.changes import plain, snapshot
from crm.records import Record
from sync.kinds import KINDS
from tests.cast import Cast
from tests.concurrency import run_together
from tests.sync.pushing import item, push, removal
from tests.sync.test_push_merge import CASES, VALUES, ground, told

pytestmark = pytest.mark.django_db(transaction=True)

Versions = dict[tuple[str, UUID], tuple[int, bool]]


def versions() -> Versions:
    """(entity, id) → version and whether it is deleted, as the tables have it."""
    return {
        (str(kind.model._meta.model_name), pk): (version, deleted_at is not None)
        for kind in KINDS.values()
        for pk, version, deleted_at in kind.model._base_manager.values_list(
            "pk", "version", "deleted_at"
        )
    }


def one_entry_for_each_effect(before: Versions) -> None:
    """Every version that a record has gone through has one entry, and so has its deletion."""
    due: Counter[tuple[str, UUID, str, int]] = Counter()
    for (entity, pk), (version, deleted) in versions().items():
        began, was_deleted = before.get((entity, pk), (0, False))
        for number in range(began + 1, version + 1):
            due[entity, pk, "create" if number == 1 else "update", number] += 1
        if deleted and not was_deleted:
            due[entity, pk, "delete", version] += 1
    entries = AuditEntry.objects.filter(action__in=["create", "update", "delete"])
    found = Counter(entries.values_list("entity_type", "entity_id", "action", "version"))
    assert found == due


def some_work(cast: Cast) -> list[dict[str, Any]]:
    """New records with what hangs on them, chains of edits, a deletion, and what will be refused."""
    old, doomed = cast.object(), cast.object()
    cast.unit(doomed)
    cast.visit(doomed, cast.ivan)
    unit, customer = cast.unit(old), cast.customer(old)
    house = item("objects", address="ул. Ёлочная, д. 1")
    key = house["client_generated_id"]
    visit = item("visits", object_id=key)
    return [
        visit,
        item("visits", visit["client_generated_id"], 1, status="IN_PROGRESS"),
        item("visits", visit["client_generated_id"], 1, status="DONE", outcome_text="Да"),
        house,
        item("objects", key, 1, status="INTEREST"),
        item("customers", object_id=key, phone="+79980000001"),
        item("units", object_id=key, unit_number="1"),
        item("units", object_id=key, unit_number="1"),
        item("units", unit.pk, 1, floor=1),
        item("units", unit.pk, 1, floor=2),
        item("customers", customer.pk, 1, notes="да"),
        item("customers", customer.pk, 1, notes="да") | {"updated_at": "again"},
        item("objects", old.pk, None, status="DONE"),
        removal("objects", doomed.pk, 1),
    ]


def test_every_second_answer_is_lost(cast: Cast) -> None:
    """Whatever part of its queue the phone sends again, in whatever order."""
    chance = random.Random(4)
    items = some_work(cast)
    before = versions()
    api = cast.api(cast.sergei)
    for sent in range(1, len(items) + 1):
        queue = items[:sent]
        push(api, *queue)
        again = push(api, *queue[chance.randrange(sent) :])
        one_entry_for_each_effect(before)
        assert all(r["replayed"] for r in again if r["error_code"] is None)
    assert {r["status"] for r in push(api, *items)} == {
        "created", "updated", "deleted", "conflict", "error",
    }  # fmt: skip
    one_entry_for_each_effect(before)


@pytest.mark.parametrize("copies", [2, 4])
def test_copies_at_the_same_moment(cast: Cast, copies: int) -> None:
    items = some_work(cast)
    before = versions()
    apis = [cast.api(cast.sergei) for _copy in range(copies)]
    answers = run_together(*(lambda api=api: push(api, *items) for api in apis))
    assert not [a for a in answers if isinstance(a, BaseException)], answers
    plain_answers = [[{**r, "replayed": None} for r in a] for a in answers]
    assert all(answer == plain_answers[0] for answer in plain_answers)
    one_entry_for_each_effect(before)
    assert AuditEntry.objects.filter(action="delete").count() == 3


def test_copies_of_parts_at_the_same_moment_and_after(cast: Cast) -> None:
    """Two attempts with other parts of the queue each, whose answers are both lost."""
    items = some_work(cast)
    before = versions()
    apis = [cast.api(cast.sergei) for _copy in range(2)]
    for first, second in ((items[:9], items), (items, items[3:]), (items, items)):
        answers = run_together(partial(push, apis[0], *first), partial(push, apis[1], *second))
        assert not [a for a in answers if isinstance(a, BaseException)], answers
        one_entry_for_each_effect(before)


# --- no acknowledged value is lost ----------------------------------------------------------------


class Acknowledged:
    """What clients were told is saved, to be found again in the row or in the trail."""

    def __init__(self, table: str, record: Record) -> None:
        self.model, self.pk = KINDS[table].model, record.pk
        self.values: list[tuple[int, str, Any]] = []

    def row(self) -> Any:
        return self.model._base_manager.get(pk=self.pk)

    def take(self, result: dict[str, Any], field: str, value: Any) -> None:
        """A client was answered. What is said to be saved is in the row at that moment."""
        assert result["status"] in {"created", "updated"}, result
        row = self.row()
        assert row.version == result["server_version"]
        stored = plain(getattr(row, field))
        shown = str(value) if isinstance(value, UUID) else value
        if field in {"phone", "contact_phone"} or isinstance(value, str | UUID):
            # A time is stored with its seconds.
            assert str(stored).startswith(shown), (field, stored, shown)
        self.values.append((row.version, field, stored))

    def all_found(self) -> None:
        """In the row as it is now, or in the trail; and each under the version that brought it."""
        row = snapshot(self.row())
        entries = {e.version: e for e in AuditEntry.objects.filter(entity_id=self.pk)}
        for version, field, value in self.values:
            mask = masked({field: value})[field]  # type: ignore[index]
            trail = [side[field] for e in entries.values() for side in (e.before, e.after) if side]
            assert row[field] == value or mask in trail, (field, value)
            if version > 1:
                assert entries[version].after[field] == mask, (version, field, value)
            if version + 1 in entries:
                assert entries[version + 1].before[field] == mask, (version, field, value)


@pytest.mark.parametrize(("table", "field"), CASES)
def test_no_acknowledged_value_is_lost(cast: Cast, table: str, field: str) -> None:
    """Two clients start from one version; the second insists. Both were told that it is saved."""
    record = ground(cast, table, field)
    theirs, mine = (told(cast, value) for value in VALUES[table][field])
    kept = Acknowledged(table, record)
    first, second = cast.api(cast.anna), cast.api(cast.anna)
    [one] = push(first, item(table, record.pk, 1, **{field: theirs}), strategy="force")
    kept.take(one, field, theirs)
    before = versions()
    sent = item(table, record.pk, 1, **{field: mine})
    for strategy in ("reject", "merge"):
        assert push(second, sent, strategy=strategy)[0]["status"] == "conflict"
    # Refused, nothing has moved; insisting, the first client's value goes, and is in the trail.
    assert versions() == before
    [two] = push(second, sent, strategy="force")
    kept.take(two, field, mine)
    kept.all_found()
    assert AuditEntry.objects.filter(entity_id=record.pk).count() == 2
    if field in {"phone", "contact_phone"}:
        whole = [theirs, mine]
        for entry in AuditEntry.objects.filter(entity_id=record.pk):
            assert not any(number in str((entry.before, entry.after)) for number in whole)


@pytest.mark.parametrize("table", list(KINDS))
def test_nor_in_a_long_quarrel(cast: Cast, table: str) -> None:
    """Clients with old versions, every strategy, several fields at once, answers lost."""
    chance = random.Random(table)
    fields = {
        name: [told(cast, value) for value in values]
        for name, values in VALUES[table].items()
        if not name.endswith(("_id", "_lat", "_lng")) and name not in {"status", "started_at"}
    }
    record = ground(cast, table, "finished_at" if table == "visits" else "")
    kept = Acknowledged(table, record)
    apis = [cast.api(cast.anna), cast.api(cast.sergei)]
    statuses = Counter[str]()
    for number in range(60):
        wanted = {name: chance.choice(fields[name]) for name in chance.sample(sorted(fields), k=2)}
        base = max(1, kept.row().version - chance.randrange(3))
        sent = item(table, record.pk, base, **wanted) | {"updated_at": str(number)}
        strategy = chance.choice(["reject", "merge", "force"])
        api = chance.choice(apis)
        [result] = push(api, sent, strategy=strategy)
        if chance.random() < 0.5:
            [again] = push(api, sent, strategy=strategy)
            assert again["status"] == result["status"]
        statuses[result["status"]] += 1
        if result["status"] == "updated":
            for name, value in wanted.items():
                kept.take(result, name, value)
    assert statuses["updated"] > 10
    assert statuses["conflict"] > 3
    kept.all_found()
