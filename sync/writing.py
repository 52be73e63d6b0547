"""Writing what was judged, many rows in one statement.

Each group is written under a savepoint. When the database refuses one (a phone that somebody else took a
moment ago), its halves are tried one after the other, down to the item that is to blame: the others go on.
"""

import logging
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from crm.api.errors import internal_error
from crm.api.unexpected import account_of
from crm.changes import Action, Change, snapshot
from crm.db import violated_constraint
from crm.db.bulk import copy_rows, update_rows
from crm.deletion import entomb
from crm.editing import change_of, edit_of, refusal_of
from crm.errors import CallerError
from crm.records import TRIGGER_KEPT
from sync.judging import Write
from sync.kinds import KINDS, Kind
from sync.resolving import Moved
from sync.unique_values import UniqueValues

log = logging.getLogger("crm.errors")

Refused = tuple[Write, CallerError]


def write_all(
    writes: Sequence[Write], unique: UniqueValues
) -> tuple[list[Write], list[Refused], list[Change]]:
    """Write a round's writes, all of one table: what was written, what was refused, what to report.

    Edits come before new records, which may take a unique value that an edit lets go. Raises Moved.
    """
    written: list[Write] = []
    refused: list[Refused] = []
    changes: list[Change] = []

    def attempt(group: Sequence[Write], put: Callable[[Sequence[Write]], list[Change]]) -> None:
        try:
            with transaction.atomic():
                told = put(group)
        except OperationalError:
            raise
        except DatabaseError as error:
            if len(group) == 1:
                refused.append((group[0], refusal(group[0], error, unique)))
                return
            middle = len(group) // 2
            attempt(group[:middle], put)
            attempt(group[middle:], put)
        else:
            written.extend(group)
            changes.extend(told)

    for put, group in groupby(sorted(writes, key=order_of), key=way_of):
        attempt(list(group), put)
    return written, refused, changes


def way_of(write: Write) -> Callable[[Sequence[Write]], list[Change]]:
    """The function that writes it."""
    if write.draft is None:
        return remove
    return insert if write.before is None else update


def order_of(write: Write) -> tuple[bool, bool]:
    """Edits first, then new records; each in the order in which they were judged."""
    return write.draft is None, write.before is None


def insert(group: Sequence[Write]) -> list[Change]:
    """Write new records."""
    kind = KINDS[group[0].item.table]
    skipped = {*TRIGGER_KEPT, *kind.model.DERIVED, "deleted_at", "deletion_id"}
    names = [f.attname for f in kind.model._meta.concrete_fields if f.attname not in skipped]
    drafts: list[Any] = [write.draft for write in group]
    rows = [[getattr(draft, name) for name in names] for draft in drafts]
    copy_rows(connection, kind.model._meta.db_table, names, rows)
    kind.model.read_back(drafts, using="default", searched=False)
    return [change_of(Action.CREATE, draft, after=snapshot(draft)) for draft in drafts]


def update(group: Sequence[Write]) -> list[Change]:
    """Write edits, each under the version that it was judged by. Raises Moved."""
    kind = KINDS[group[0].item.table]
    columns = sorted({column for write in group for column in write.columns})
    rows = [
        [draft.pk, draft.version, *(getattr(draft, column) for column in columns)]
        for draft in (write.draft for write in group)
        if draft is not None
    ]
    if update_rows(connection, kind.model, ["id", "version"], columns, rows) != len(rows):
        raise Moved
    kind.model.read_back([write.draft for write in group], using="default", searched=False)
    return [
        edit_of(write.before, write.draft)
        for write in group
        if write.before is not None and write.draft is not None
    ]


def remove(group: Sequence[Write]) -> list[Change]:
    """Delete records softly, with what hangs on them."""
    return entomb([write.before for write in group if write.before is not None])


def refusal(write: Write, error: DatabaseError, unique: UniqueValues) -> CallerError:
    """What the database refused, in words. What nobody foresaw is written down, and no reason to stop.

    Raises Moved when a record with this id has just appeared.
    """
    kind = KINDS[write.item.table]
    found = violated_constraint(error) if isinstance(error, IntegrityError) else None
    if found is not None and found.kind == "unique" and found.columns == ("id",):
        raise Moved from error
    told = (
        refusal_of(error, kind.refusals, duplicate=lambda _field: holder(kind, write, unique))
        if isinstance(error, IntegrityError)
        else None
    )
    if told is not None:
        return told
    log.error("an item of %s was refused\n%s", kind.table, "\n".join(account_of(error)))
    return internal_error()


def holder(kind: Kind, write: Write, unique: UniqueValues) -> Any:
    """The visible record that holds the draft's unique value."""
    if write.draft is None:
        return None
    for name, values in unique.values(write.draft):
        same = dict(zip(unique.constraints[name], values, strict=True))
        rows = kind.model.objects.visible_to(unique.actor).filter(**same)
        found = rows.exclude(pk=write.draft.pk).values_list("pk", flat=True).first()
        if found is not None:
            return found
    return None
