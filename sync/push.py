"""A push: edits made offline, applied so that repeating them any number of times counts once.

Everything happens in one transaction: look up and lock (resolving), judge in an order of our own (ordering,
judging), write set by set (writing), report all changes at once, keep receipts and what was refused.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from crm.api.errors import internal_error
from crm.api.unexpected import account_of
from crm.api.viewsets import conflict_details
from crm.changes import Change, report
from crm.db.names import hold_names, name_of_value
from crm.editing import StaleRecord
from crm.errors import CallerError, Unavailable
from crm.users.models import User
from sync.batch import Batch, Item
from sync.figures import RETRIES
from sync.judging import Judge, Write
from sync.kinds import KINDS
from sync.ordering import rounds
from sync.outcomes import APPLIED, Outcome, Status
from sync.payloads import Payloads
from sync.receipts import keep_receipts, receipts_of
from sync.refused import forget_refused, keep_refused
from sync.refusing import refused_item
from sync.resolving import Ground, Moved, resolve
from sync.writing import write_all

log = logging.getLogger("crm.errors")

ATTEMPTS: Final = 4
# SQL states of a deadlock and of a serialization failure.
TRANSIENT: Final = {"40P01", "40001"}


@dataclass
class Pushed:
    """What became of a batch: each item with its outcome, in the order given."""

    results: list[tuple[Item, Outcome]]

    def count(self, status: Status) -> int:
        """How many items ended so."""
        return sum(outcome.status == status for _item, outcome in self.results)


def push(*, actor: User, batch: Batch, device: str = "") -> Pushed:
    """Apply a batch. Raises Unavailable when others kept coming in between."""
    payloads = {name: Payloads(kind, actor) for name, kind in KINDS.items()}
    for item in batch.items:
        if item.table:
            payloads[item.table].read(item)
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return Attempt(actor, batch, payloads, device).run()
        except Moved:
            RETRIES.add(reason="moved")
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in TRANSIENT:
                raise
            RETRIES.add(reason="deadlock")
    raise Unavailable


class Attempt:
    """One attempt at a batch, in one transaction."""

    def __init__(
        self, actor: User, batch: Batch, payloads: Mapping[str, Payloads], device: str
    ) -> None:
        self.actor, self.batch, self.payloads, self.device = actor, batch, payloads, device
        self.outcomes: dict[int, Outcome] = {}
        self.applied: dict[str, Outcome] = {}
        self.changes: list[Change] = []
        self.judge: Judge

    def run(self) -> Pushed:
        """Everything from the first lock to the receipts. Raises Moved."""
        items = [item for item in self.batch.items if item.table]
        hold_names(connection, self.names(items))
        receipts = receipts_of(self.actor.pk, {item.fingerprint for item in items})
        self.applied = {name: Outcome.replay(stored) for name, stored in receipts.items()}
        fresh = {item.key for item in items if item.fingerprint not in receipts}
        # Replayed items on a record that others are about to edit say what the phone has seen of it.
        pending = [item for item in items if item.key in fresh]
        ground = resolve(self.actor, [item for item in pending if item.fingerprint not in receipts])
        self.judge = Judge(ground, self.batch.strategy)
        for item in self.batch.items:
            if not item.table:
                self.refuse(item, item.refusal or internal_error())
            elif item.key not in fresh:
                self.outcomes[id(item)] = self.applied[item.fingerprint]
        for group in rounds(pending):
            self.work_off(group, ground)
        report(self.changes, actor=self.actor)
        self.keep(receipts)
        return Pushed([(item, self.outcomes[id(item)]) for item in self.batch.items])

    def names(self, items: Sequence[Item]) -> set[str]:
        """What nobody else may do meanwhile: push for the same person, set the same phones with others."""
        found = {f"push {self.actor.pk}"}
        for item in items:
            for field, constraint in KINDS[item.table].model.unique_alone().items():
                if item.values.get(field):
                    found.add(name_of_value(constraint, str(item.values[field])))
        return found

    def work_off(self, group: Sequence[Item], ground: Ground) -> None:
        """Judge and write one round: items of one table, each on another record."""
        found = [self.judged(item) for item in group]
        writes = [one for one in found if isinstance(one, Write)]
        written, refused, changes = write_all(writes, ground.unique[group[0].table])
        self.changes += changes
        for write in written:
            self.settle(write.item, self.judge.written(write))
        for write, reason in refused:
            if write.draft is not None:
                ground.unique[write.item.table].release(write.draft)
            self.refuse(write.item, reason)

    def judged(self, item: Item) -> Write | None:
        """What the item is going to write; None when it is settled already."""
        earlier = self.applied.get(item.fingerprint)
        if earlier is not None:
            self.outcomes[id(item)] = Outcome.replay(earlier.stored())
            self.judge.replayed(item, earlier)
            return None
        try:
            found = self.judge.judge(item)
        except CallerError as error:
            self.refuse(item, error)
        except DatabaseError:
            # The transaction is broken: nothing of it can be saved.
            raise
        except Exception as error:
            # A defect of ours that one item meets must not block a phone's whole queue.
            log.error("an item of %s failed\n%s", item.table, "\n".join(account_of(error)))
            self.refuse(item, internal_error())
        else:
            if isinstance(found, Write):
                return found
            self.settle(item, found)
        return None

    def settle(self, item: Item, outcome: Outcome) -> None:
        """The item was applied."""
        self.outcomes[id(item)] = self.applied[item.fingerprint] = outcome

    def refuse(self, item: Item, error: CallerError) -> None:
        """The item was not applied."""
        standing = self.judge.ground.standings.get(item.key)
        record = standing.record if standing is not None and standing.in_sight else None
        outcome = Outcome(Status.ERROR, known=record is not None, error=error, ignored=item.ignored)
        if record is not None:
            outcome.server_version = record.version
        if isinstance(error, StaleRecord):
            outcome.status = Status.CONFLICT
            shown = self.payloads[item.table]
            outcome.diff = conflict_details(
                error, shown.shown(error.record), shown.shown_input(error.client)
            )
        self.outcomes[id(item)] = outcome
        if item.table:
            self.judge.refused(item)

    def keep(self, receipts: Mapping[str, Any]) -> None:
        """Receipts for what was applied, and the refused items, in the same transaction. Raises Moved."""
        new = {
            name: outcome.stored()
            for name, outcome in self.applied.items()
            if name not in receipts and outcome.status in APPLIED
        }
        if new and not keep_receipts(self.actor.pk, new):
            raise Moved
        forget_refused(self.actor.pk, new)
        refused = [
            refused_item(item, self.outcomes[id(item)], self.judge.ground, self.device)
            for item in self.batch.items
            if self.outcomes[id(item)].error is not None
        ]
        if refused:
            keep_refused(refused)


def conflict_sentence() -> str:
    """What the envelope of a push with conflicts says."""
    return _("Some records were changed by somebody else in the meantime.")
