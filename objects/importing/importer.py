"""The import of objects, batch by batch: read, match, write, tell."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.editing import refusal_of
from crm.importing.basis import Basis
from crm.importing.kinds import Task
from crm.importing.outcomes import FieldChange, Outcome, RowResult
from crm.importing.rows import RowProblem
from crm.importing.showing import Showing
from crm.importing.table import Row
from crm.users.models import User
from objects.importing.address_index import AddressIndex
from objects.importing.addresses import address_key
from objects.importing.drafts import Draft, Reading
from objects.importing.matching import (
    differences,
    learn_city,
    lock_cities,
    new_object,
    visible_objects,
)
from objects.importing.places import Places
from objects.importing.units import UnitCount
from objects.importing.writing import Writer
from objects.models import Object
from objects.services import OBJECT_REFUSALS

# Between two batches another import may hold the city's lock. What it wrote is stamped after our last write,
# by the clock of the database, which may be behind ours.
_CLOCKS_DIFFER = timedelta(seconds=2)


@contextmanager
def begin(task: Task, *, brief: bool = False) -> Iterator["ObjectImporter"]:
    """An import of objects. `brief`: the results tell no changes field by field."""
    places = Places()
    with AddressIndex() as index:
        yield ObjectImporter(
            reading=Reading(task.columns, places, city_id=task.options.city_id),
            index=index,
            actor=task.actor,
            default_type=task.options.default_type,
            basis=task.basis,
            showing=None if brief else Showing(Object, task.actor),
        )


@dataclass(slots=True)
class ObjectImporter:
    """See crm.importing.kinds.Importer."""

    reading: Reading
    index: AddressIndex
    actor: User | None
    default_type: str
    basis: Basis | None
    showing: Showing | None
    learnt: dict[UUID, datetime] = field(default_factory=dict)

    def plan(self, rows: Sequence[Row]) -> list[RowResult]:
        """What would become of a batch."""
        return self._take(rows, Writer(actor=self.actor, dry_run=True))

    def apply_at_once(self, rows: Sequence[Row]) -> list[RowResult]:
        """Write a batch of an import that is one transaction as a whole: a city stays as it was learnt."""
        return self._take(rows, Writer(actor=self.actor, dry_run=False))

    def apply(self, rows: Sequence[Row]) -> list[RowResult]:
        """Write a batch. What the database refuses of it is tried row by row."""
        try:
            with transaction.atomic():
                return self._apply(rows)
        except IntegrityError as error:
            if len(rows) > 1:
                return [result for row in rows for result in self.apply([row])]
            refusal = refusal_of(error, OBJECT_REFUSALS)
            sentence = _("The database refused this row.")
            fields: Mapping[str, Any] = getattr(refusal, "fields", {})
            said = [str(each) for sentences in fields.values() for each in sentences]
            row = rows[0]
            return [self._problem(RowProblem(row, said or [sentence]))]

    def _apply(self, rows: Sequence[Row]) -> list[RowResult]:
        drafts = [read for row in rows if isinstance(read := self.reading.draft(row), Draft)]
        cities = {draft.city_id for draft in drafts}
        lock_cities(cities)
        for city_id in cities & self.learnt.keys():
            self._learn(city_id, since=self.learnt[city_id] - _CLOCKS_DIFFER)
        done = self._take(rows, Writer(actor=self.actor, dry_run=False))
        self.learnt |= dict.fromkeys(cities, timezone.now())
        return done

    def _take(self, rows: Sequence[Row], writer: Writer) -> list[RowResult]:
        """Read, match and write one batch."""
        drafts: list[Draft] = []
        results: dict[int, RowResult] = {}
        for row in rows:
            read = self.reading.draft(row)
            if isinstance(read, Draft):
                drafts.append(read)
            else:
                results[row.line] = self._problem(read)
        cities = {draft.city_id for draft in drafts} - self.learnt.keys()
        if not writer.dry_run:
            lock_cities(cities)
        for city_id in cities:
            self._learn(city_id)
        self._match(self._without_repeats(drafts, results), results, writer)
        return [results[row.line] for row in rows]

    def _learn(self, city_id: UUID, since: datetime | None = None) -> None:
        name = self.reading.places.city_names[city_id]
        learn_city(self.index, city_id, name=name, actor=self.actor, since=since)
        self.learnt[city_id] = timezone.now()

    def _without_repeats(self, drafts: list[Draft], results: dict[int, RowResult]) -> list[Draft]:
        repeats = self.index.first_seen(
            [(_place_key(draft), draft.row.line, draft.digest) for draft in drafts]
        )
        kept: list[Draft] = []
        for draft in drafts:
            line = draft.row.line
            if line not in repeats:
                kept.append(draft)
                continue
            first, same = repeats[line]
            if same:
                sentence = _("Repeats line %(line)d.")
            else:
                sentence = _(
                    "The address is that of line %(line)d, which says other things about it."
                )
            results[line] = _result(
                draft,
                Outcome.REPEAT if same else Outcome.PROBLEM,
                sentences=[sentence % {"line": first}],
            )
        return kept

    def _match(self, drafts: list[Draft], results: dict[int, RowResult], writer: Writer) -> None:
        known = self.index.known([_place_key(draft) for draft in drafts])
        found = visible_objects(self.actor).filter(pk__in=known.values()).order_by("pk")
        existing = {each.pk: each for each in writer.locked(found)}
        written: list[tuple[Draft, Object, Mapping[str, Any] | None, list[FieldChange]]] = []
        for draft in drafts:
            current = existing.get(known[_place_key(draft)]) if _place_key(draft) in known else None
            try:
                if current is None:
                    written.append(self._create(draft, writer))
                else:
                    written.append(self._update(draft, current, writer))
            except ValueError as error:
                results[draft.row.line] = self._problem(RowProblem(draft.row, [str(error)]), draft)
        versions = {current.pk: current.version for current in existing.values()}
        grown = writer.write()
        for draft, record, changed, shown in written:
            new_units = grown[record.pk]
            if changed is None:
                outcome = Outcome.CREATE
            else:
                outcome = Outcome.UPDATE if changed or new_units else Outcome.UNCHANGED
            planned = changed is None and writer.dry_run
            results[draft.row.line] = _result(
                draft,
                outcome,
                changes=shown,
                record_id=None if planned else record.pk,
                version=versions.get(record.pk),
                new_units=new_units,
            )

    def _create(
        self, draft: Draft, writer: Writer
    ) -> tuple[Draft, Object, None, list[FieldChange]]:
        if self.basis is not None:
            self.basis.refuse_new(draft.row.line)
        new = new_object(draft, actor=self.actor, default_type=self.default_type)
        writer.create(new, _units(draft, new.pk))
        return draft, new, None, self._shown({}, draft.given)

    def _update(
        self, draft: Draft, current: Object, writer: Writer
    ) -> tuple[Draft, Object, Mapping[str, Any], list[FieldChange]]:
        name = self.reading.places.city_names[draft.city_id]
        # An import that is one transaction has learnt it just now.
        if self.showing and address_key(current.address, city=name) != draft.key:
            raise ValueError(_("The address was changed in the meantime. Import this row again."))
        changed: Mapping[str, Any] = differences(draft, current, actor=self.actor)
        if self.basis is not None:
            self.basis.refuse_changed(draft.row.line, current, changed)
        # Told now: the write puts the new values into the object.
        before = {column: getattr(current, column) for column in changed}
        shown = self._shown(before, changed)
        writer.update(current, changed, _units(draft, current.pk))
        return draft, current, changed, shown

    def _shown(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
        if self.showing is None:
            return []
        return self.showing.changes(before, after, names=self.reading.places.names)

    def _problem(self, problem: RowProblem, draft: Draft | None = None) -> RowResult:
        title = draft.given["address"] if draft else self.reading.title(problem.row)
        return RowResult(
            problem.line,
            Outcome.PROBLEM,
            title,
            problem.row.cells,
            sentences=problem.sentences,
        )


def _result(draft: Draft, outcome: Outcome, **facts: Any) -> RowResult:
    return RowResult(draft.row.line, outcome, draft.given["address"], draft.row.cells, **facts)


def _place_key(draft: Draft) -> bytes:
    """An address is one of its city's."""
    return draft.city_id.bytes + draft.key


def _units(draft: Draft, object_id: UUID) -> UnitCount | None:
    if not draft.units:
        return None
    return UnitCount(object_id, draft.city_id, draft.units, draft.entrances, draft.floors)
