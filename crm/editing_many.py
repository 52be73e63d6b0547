"""Many records edited, made or deleted by one person, in a number of statements that does not grow with them.

The rules are those of a single edit (each app's rules.py), judged for each record in memory under its lock.
One transaction, which the caller opens. What a record's rule or the database refuses is told for that record;
the others go on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from crm.changes import Action, report, snapshot
from crm.db.bulk import copy_rows, update_rows
from crm.deletion import entomb
from crm.editing import (
    Changes,
    StaleRecord,
    change_of,
    edit_of,
    edited,
    judged,
    lock_rows,
    refusal_of,
)
from crm.errors import CallerError, Forbidden, NotFound, Sentence
from crm.merge import Strategy, Verdict
from crm.records import TRIGGER_KEPT, Record

if TYPE_CHECKING:
    from crm.users.models import User

# What is known of a row before it is locked: its id, and the version that the choice was based on.
Bases = Mapping[UUID, int]
Refusals = Mapping[str, tuple[str, Sentence]]

# The base of a row of which only so much is known that it changed since it was chosen.
CHANGED_SINCE: Final = 0


class Moved(Exception):
    """Somebody else was faster (an engine without row locks): everything must be looked at again."""


@dataclass
class Tally:
    """What became of each record."""

    done: list[UUID] = field(default_factory=list)
    unchanged: list[UUID] = field(default_factory=list)
    refused: list[tuple[UUID, CallerError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as it was, and as it is to be."""

    before: Any
    after: Any
    columns: tuple[str, ...]


def locked_many(model: type[Record], ids: Sequence[UUID], *, actor: "User") -> dict[UUID, Any]:
    """The records that the actor sees of those, locked in id order, after the objects that they hang on."""
    rows: Any = model.objects.visible_to(actor).filter(pk__in=ids)
    path = model.object_path()
    if path:
        parents = sorted(set(rows.values_list(f"{path}_id", flat=True)))
        lock_rows(model._meta.get_field(path).related_model, parents)  # type: ignore[arg-type]
        rows = rows.select_related(path)
    rows = rows.order_by("pk").select_for_update(of=("self",), no_key=True)
    return {row.pk: row for row in rows}


def edit_many(
    model: type[Record],
    bases: Bases,
    *,
    actor: "User",
    values: Callable[[Any], Changes],
    rule: Callable[[Any, Changes], Changes],
    refusals: Refusals,
) -> Tally:
    """Edit many records. values: what is asked for of a record; rule: what that comes to, or a CallerError.

    A field that others changed since the base is not overwritten: the record is refused as stale. Raises
    Moved.
    """
    tally = Tally()
    found = locked_many(model, list(bases), actor=actor)
    drafts: list[Draft] = []
    for pk, base in bases.items():
        try:
            draft = drafted(found.get(pk), base, actor=actor, values=values, rule=rule)
        except CallerError as error:
            tally.refused.append((pk, error))
            continue
        if draft is None:
            tally.unchanged.append(pk)
        else:
            drafts.append(draft)
    in_halves(drafts, lambda group: write(model, group, actor=actor), refusals, tally)
    return tally


def drafted(
    record: Any,
    base: int,
    *,
    actor: "User",
    values: Callable[[Any], Changes],
    rule: Callable[[Any, Changes], Changes],
) -> Draft | None:
    """The record as it is to be; None when nothing would change. Raises CallerErrors."""
    if record is None:
        raise NotFound
    asked = values(record)
    verdict = judged(record, asked, version=base)
    if not verdict.differing:
        return None
    if not verdict.admits(Strategy.MERGE):
        raise StaleRecord(record, asked, base, verdict)
    changes = rule(record, asked)
    if not changes:
        return None
    if hasattr(record, "updated_by_id"):
        changes = {**changes, "updated_by_id": actor.pk}
    after: Any = edited(record, changes)
    if record.object_path():
        # The trail notes the object's city, and must not ask for each row.
        after.object = record.object
    return Draft(record, after, tuple(changes))


def write(model: type[Record], group: Sequence[Draft], *, actor: "User") -> None:
    """Write edits, each under the version that it was judged by, and report them. Raises Moved."""
    columns = sorted({column for draft in group for column in draft.columns})
    rows = [
        [one.after.pk, one.before.version, *(getattr(one.after, column) for column in columns)]
        for one in group
    ]
    if update_rows(connection, model, ["id", "version"], columns, rows) != len(rows):
        raise Moved
    model.read_back([one.after for one in group], using="default")
    report(
        [edit_of(one.before, one.after) for one in group],
        actor=actor,
    )


def insert_many(
    model: type[Record], records: Sequence[Any], *, actor: "User", refusals: Refusals, tally: Tally
) -> None:
    """Write new records that their rules have passed, and report them. Each has its object at hand."""
    skipped = {*TRIGGER_KEPT, *model.DERIVED, "deleted_at", "deletion_id"}
    names = [f.attname for f in model._meta.concrete_fields if f.attname not in skipped]

    def put(group: Sequence[Draft]) -> None:
        rows = [[getattr(one.after, name) for name in names] for one in group]
        copy_rows(connection, model._meta.db_table, names, rows)
        model.read_back([one.after for one in group], using="default")
        report(
            [change_of(Action.CREATE, one.after, after=snapshot(one.after)) for one in group],
            actor=actor,
        )

    in_halves([Draft(one, one, ()) for one in records], put, refusals, tally)


def delete_many(model: type[Record], bases: Bases, *, actor: "User") -> Tally:
    """Delete many records softly, each with what hangs on it. One that others changed since is refused."""
    if actor.is_engineer:
        raise Forbidden(_("Engineers cannot delete records."))
    tally = Tally()
    found = locked_many(model, list(bases), actor=actor)
    going: list[Any] = []
    for pk, base in bases.items():
        record = found.get(pk)
        if record is None:
            tally.refused.append((pk, NotFound()))
        elif record.version != base:
            verdict = Verdict(stale=True, differing=(), conflicting=())
            tally.refused.append((pk, StaleRecord(record, {}, base, verdict)))
        else:
            going.append(record)
    if going:
        report(entomb(going), actor=actor)
    tally.done += [record.pk for record in going]
    return tally


def in_halves(
    group: Sequence[Draft],
    put: Callable[[Sequence[Draft]], None],
    refusals: Refusals,
    tally: Tally,
) -> None:
    """Write the group; where the database refuses it, its halves, down to the record that is to blame."""
    if not group:
        return
    try:
        with transaction.atomic():
            put(group)
    except IntegrityError as error:
        if len(group) > 1:
            middle = len(group) // 2
            in_halves(group[:middle], put, refusals, tally)
            in_halves(group[middle:], put, refusals, tally)
            return
        refusal = refusal_of(error, refusals)
        if refusal is None:
            raise
        tally.refused.append((group[0].after.pk, refusal))
    else:
        tally.done += [one.after.pk for one in group]
