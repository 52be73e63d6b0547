"""Values that only one live record may have, watched while a batch is worked off.

The database decides in the end. Looking beforehand tells most clashes apart without failing a whole
statement, and in the order in which the items are judged, whatever order the statement writes in.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import UniqueConstraint

from crm.db.among import among
from crm.errors import Duplicate
from crm.records import Record
from sync.kinds import Kind

if TYPE_CHECKING:
    from crm.users.models import User

Value = tuple[str, tuple[Any, ...]]


class UniqueValues:
    """Who holds which unique value of one table.

    drafts: the values that items bring. held: the rows that items may change, which may let values go.
    """

    def __init__(
        self, kind: Kind, actor: "User", drafts: Iterable[Mapping[str, Any]], held: Iterable[Record]
    ) -> None:
        self.kind, self.actor = kind, actor
        self.constraints = {
            str(one.name): [kind.model._meta.get_field(name).attname for name in one.fields]  # type: ignore[union-attr]
            for one in kind.model._meta.constraints
            if isinstance(one, UniqueConstraint) and one.fields
        }
        self.holders: dict[Value, UUID] = {}
        self.visible: set[UUID] = set()
        self.fetch(list(drafts), list(held))

    def fetch(self, drafts: list[Mapping[str, Any]], held: list[Record]) -> None:
        """Look up who holds the values now; one query for each constraint, one for who may be named."""
        for row in held:
            if not row.is_deleted:
                self.holders.update(dict.fromkeys(self.values(row), row.pk))
        for name, attnames in self.constraints.items():
            # The last field is the one that items give (the number); what it is unique in stands before it.
            wanted = {d[attnames[-1]] for d in drafts if d.get(attnames[-1]) is not None}
            if not wanted:
                continue
            rows = self.kind.model.objects.live().filter(among(attnames[-1], wanted))
            if len(attnames) > 1:
                places = {d[attnames[0]] for d in drafts if d.get(attnames[0]) is not None}
                places |= {getattr(row, attnames[0]) for row in held}
                rows = rows.filter(among(attnames[0], places))
            for pk, *values in rows.values_list("pk", *attnames):
                self.holders[name, tuple(values)] = pk
        if self.holders:
            # Held rows may lie out of sight, too: an item can name any id.
            seen = self.kind.model.objects.visible_to(self.actor)
            self.visible.update(
                seen.filter(among("pk", set(self.holders.values()))).values_list("pk", flat=True)
            )

    def values(self, record: Record) -> list[Value]:
        """The unique values that a record has."""
        found = [
            (name, tuple(getattr(record, attname) for attname in attnames))
            for name, attnames in self.constraints.items()
        ]
        return [value for value in found if None not in value[1]]

    def claim(self, record: Record, before: Record | None = None) -> None:
        """Take the record's values, letting go of what it had before. Raises Duplicate."""
        for value in self.values(record):
            holder = self.holders.get(value, record.pk)
            if holder != record.pk:
                field, sentence = self.kind.refusals[value[0]]
                existing = holder if holder in self.visible else None
                raise Duplicate(sentence, field=field, existing_id=existing)
        if before is not None:
            self.release(before)
        self.visible.add(record.pk)
        self.holders.update(dict.fromkeys(self.values(record), record.pk))

    def release(self, record: Record) -> None:
        """Let the record's values go."""
        for value in self.values(record):
            if self.holders.get(value) == record.pk:
                del self.holders[value]
