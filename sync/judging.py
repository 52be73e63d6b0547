"""What an item comes to, as things stand when its turn has come: a write, nothing to do, or a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import editing
from crm.editing import Changes, StaleRecord
from crm.errors import Forbidden, Invalid, NotFound
from crm.merge import Strategy, Verdict
from crm.records import Record
from sync.batch import DELETE, Item
from sync.kinds import KINDS, LINKS, TABLE_OF
from sync.outcomes import DependencyFailed, Outcome, RecordDeleted, Status
from sync.resolving import Ground, Standing


@dataclass
class Write:
    """What an item is going to write: a new record, an edit (of `columns`), or a deletion (no draft).

    ignored: names of the payload that are not taken.
    """

    item: Item
    before: Record | None
    draft: Record | None
    ignored: list[str]
    columns: tuple[str, ...] = ()


def taken(item: Item, record: Record | None) -> tuple[Changes, list[str]]:
    """The item's values but for those that the record does not take now, and what is ignored altogether."""
    idle = KINDS[item.table].idle(record, item.values)
    values = {name: value for name, value in item.values.items() if name not in idle}
    return values, sorted({*item.ignored, *idle})


class Judge:
    """Judges items on a ground that it keeps up to date with what was written."""

    def __init__(self, ground: Ground, strategy: Strategy) -> None:
        self.ground, self.strategy = ground, strategy
        # Records that an item of this batch failed to bring or to keep.
        self.failed: set[Any] = set()

    def judge(self, item: Item) -> Write | Outcome:
        """The item's write, or its outcome when nothing is to be written. Raises a caller's error."""
        standing = self.ground.standings[item.key]
        record = standing.record
        if record is None and standing.orphaned:
            raise DependencyFailed
        if record is None:
            if item.action == DELETE:
                raise NotFound
            return self.creation(item)
        if not standing.in_sight:
            raise NotFound
        if record.is_deleted:
            raise RecordDeleted
        if item.refusal is not None:
            raise item.refusal
        if item.action == DELETE:
            return self.deletion(item, record, standing)
        return self.edit(item, record, standing)

    def creation(self, item: Item) -> Write:
        """A new record, with the id that the phone gave it."""
        kind = KINDS[item.table]
        if item.refusal is not None:
            raise item.refusal
        self.check_links(item.values)
        if item.missing:
            raise Invalid(item.missing)
        values, ignored = taken(item, None)
        draft = kind.new({**kind.defaults, **values}, refs=self.ground.refs)
        draft.pk = item.id
        self.ground.unique[item.table].claim(draft)
        return Write(item, None, draft, ignored)

    def edit(self, item: Item, record: Record, standing: Standing) -> Write | Outcome:
        """An edit: nothing to do when nothing differs, a conflict when it is stale and not admitted."""
        values, ignored = taken(item, record)
        verdict = self.verdict(values, item, record, standing)
        settled = Outcome(Status.UPDATED, record.version, ignored=ignored)
        if not verdict.differing:
            return settled
        if not verdict.admits(self.strategy):
            raise StaleRecord(record, values, item.version, verdict)
        self.check_links(values)
        changes = KINDS[item.table].edit(record, values, refs=self.ground.refs)
        if not changes:
            return settled
        if hasattr(record, "updated_by_id"):
            changes["updated_by_id"] = self.ground.actor.pk
        draft = editing.edited(record, changes)
        if record.object_path():
            self.hang(draft, record)
        self.ground.unique[item.table].claim(draft, record)
        return Write(item, record, draft, ignored, tuple(changes))

    def hang(self, draft: Any, record: Any) -> None:
        """Give a draft the object that it hangs on, without asking the database for it."""
        moved = draft.object_id != record.object_id
        draft.object = (
            self.ground.refs.find(LINKS["object_id"], draft.object_id) if moved else record.object
        )

    def deletion(self, item: Item, record: Record, standing: Standing) -> Write:
        """A deletion, unless others have changed the record since the phone saw it."""
        if self.ground.actor.is_engineer:
            raise Forbidden(_("Engineers cannot delete records."))
        verdict = self.verdict({}, item, record, standing)
        if verdict.stale and self.strategy != Strategy.FORCE:
            base = -1 if item.version is None else item.version
            theirs = sorted(
                name
                for name, at in record.field_versions.items()
                if at > base and at not in standing.own
            )
            verdict = Verdict(stale=True, differing=(), conflicting=tuple(theirs))
            raise StaleRecord(record, {}, item.version, verdict)
        return Write(item, record, None, item.ignored)

    def verdict(self, values: Changes, item: Item, record: Record, standing: Standing) -> Verdict:
        """What stands between the item and the row; the batch's own earlier items do not."""
        base = item.version if item.version is not None else standing.produced
        return editing.judged(record, values, version=base, own_versions=standing.own)

    def check_links(self, values: Mapping[str, Any]) -> None:
        """Raise DependencyFailed when the item refers to what an item of this batch failed to bring."""
        for name, model in LINKS.items():
            wanted = values.get(name)
            if wanted is None or (TABLE_OF[model], wanted) not in self.failed:
                continue
            if self.ground.refs.find(model, wanted) is None:
                raise DependencyFailed

    def written(self, write: Write) -> Outcome:
        """Take note of what has been written, and say what became of the item."""
        standing = self.ground.standings[write.item.key]
        record = write.draft
        if record is None:
            return self.removed(write, standing)
        status = Status.CREATED if write.before is None else Status.UPDATED
        standing.record, standing.in_sight = record, True
        standing.own.add(record.version)
        standing.produced = record.version
        self.ground.refs.put(record)
        return Outcome(status, record.version, written=record.version, ignored=write.ignored)

    def removed(self, write: Write, standing: Standing) -> Outcome:
        """Take note of a deletion, which takes along what hangs on the record."""
        gone: Any = write.before
        self.bury(gone, standing)
        if not gone.object_path():
            for other in self.ground.standings.values():
                hanging: Any = other.record
                if hanging is not None and getattr(hanging, "object_id", None) == gone.pk:
                    self.bury(hanging, other)
        return Outcome(Status.DELETED, gone.version, ignored=write.ignored)

    def bury(self, record: Record, standing: Standing) -> None:
        """Take a record as deleted, unless it was before."""
        if record.is_deleted:
            return
        standing.record = editing.edited(record, {"deleted_at": timezone.now()})
        self.ground.unique[TABLE_OF[type(record)]].release(record)
        self.ground.refs.drop(type(record), record.pk)

    def refused(self, item: Item) -> None:
        """Take note that an item failed, for those that depend on it."""
        self.failed.add(item.key)
        standing = self.ground.standings[item.key]
        if standing.record is None and item.action != DELETE:
            standing.orphaned = True

    def replayed(self, item: Item, outcome: Outcome) -> None:
        """Take note of an item that was applied before: what it produced is the phone's own."""
        standing = self.ground.standings[item.key]
        if outcome.written is not None:
            standing.own.add(outcome.written)
            standing.produced = outcome.written
