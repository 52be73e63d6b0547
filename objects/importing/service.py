"""The import of objects: one service for the command, the admin and the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import reset_queries, transaction
from django.utils.translation import gettext as _

from crm.territory.models import City
from crm.users.models import User
from objects.importing.address_index import AddressIndex
from objects.importing.columns import Field, find_columns
from objects.importing.drafts import Draft, Reading, RowProblem
from objects.importing.matching import (
    differences,
    in_batches,
    learn_city,
    new_object,
    visible_objects,
)
from objects.importing.places import Places
from objects.importing.table import Row, Table
from objects.importing.units import UnitCount
from objects.importing.writing import Writer
from objects.models import ObjectType

# Rows in memory at a time, each with its snapshots before and after.
BATCH = 250


@dataclass(slots=True)
class ImportResult:
    """How many rows were created, updated, left as they were and left out; and new units."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    reported: int = 0
    units_created: int = 0

    @property
    def rows(self) -> int:
        """All rows of data."""
        return self.created + self.updated + self.unchanged + self.reported


def import_objects(
    *,
    actor: User | None,
    table: Table,
    mapping: Mapping[Field, str],
    city: City | None = None,
    default_type: str = ObjectType.MKD,
    on_problem: Callable[[RowProblem], None],
    on_progress: Callable[[int], None] = lambda _: None,
    dry_run: bool = False,
) -> ImportResult:
    """Bring the rows of a table into the database: all in one transaction, or nothing.

    A row is created, updates the object with the same normal address in its city (only in fields
    that it fills in, never in the address), changes nothing, or is handed to `on_problem`. Of rows
    with one address the first counts; a later one that says the same changes nothing, one that says
    something else is a problem, because nobody knows which of them is right.

    `actor` None is the operator at the command line. A person imports what they may create and
    edit by hand: other objects are not matched, places outside their territory are problems.
    `city` is the city of rows that name none; such a row whose address names another settlement is
    a problem. `mapping` is field → column name. `on_progress` is told the rows done since the last
    call. `dry_run` tells the same and writes nothing.

    Raises BrokenFileError, and then nothing was changed.
    """
    columns = find_columns(table.header, mapping)
    with transaction.atomic(), AddressIndex() as index:
        places = Places()
        run = _Run(
            reading=Reading(columns, places, city_id=city.pk if city else None),
            index=index,
            writer=Writer(actor=actor, dry_run=dry_run),
            actor=actor,
            default_type=default_type,
            on_problem=on_problem,
        )
        for batch in in_batches(table.rows, BATCH):
            run.take(batch)
            on_progress(len(batch))
            # With DEBUG, Django keeps the text of each statement: a batch's is a megabyte.
            reset_queries()
    return run.result


@dataclass(slots=True)
class _Run:
    """One import under way."""

    reading: Reading
    index: AddressIndex
    writer: Writer
    actor: User | None
    default_type: str
    on_problem: Callable[[RowProblem], None]
    result: ImportResult = field(default_factory=ImportResult)
    known_cities: set[UUID] = field(default_factory=set)

    def take(self, rows: list[Row]) -> None:
        """Read, match and write one batch."""
        problems: list[RowProblem] = []
        drafts: list[Draft] = []
        for row in rows:
            read = self.reading.draft(row)
            if isinstance(read, Draft):
                drafts.append(read)
            else:
                problems.append(read)
        self._learn({draft.city_id for draft in drafts})
        self._match(self._without_repeats(drafts, problems), problems)
        for problem in sorted(problems, key=lambda problem: problem.line):
            self.on_problem(problem)
        self.result.reported += len(problems)

    def _learn(self, cities: set[UUID]) -> None:
        # In id order, as all rows are locked.
        for city_id in sorted(cities - self.known_cities):
            name = self.reading.places.city_names[city_id]
            learn_city(self.index, city_id, name=name, actor=self.actor)
        self.known_cities |= cities

    def _without_repeats(self, drafts: list[Draft], problems: list[RowProblem]) -> list[Draft]:
        repeats = self.index.first_seen(
            [(_place_key(draft), draft.row.line, draft.digest) for draft in drafts]
        )
        kept: list[Draft] = []
        for draft in drafts:
            if draft.row.line not in repeats:
                kept.append(draft)
                continue
            first, same = repeats[draft.row.line]
            if same:
                self.result.unchanged += 1
            else:
                sentence = _(
                    "The address is that of line %(line)d, which says other things about it."
                )
                problems.append(RowProblem(draft.row, [sentence % {"line": first}]))
        return kept

    def _match(self, drafts: list[Draft], problems: list[RowProblem]) -> None:
        known = self.index.known([_place_key(draft) for draft in drafts])
        found = visible_objects(self.actor).filter(pk__in=known.values()).order_by("pk")
        existing = {each.pk: each for each in self.writer.locked(found)}
        for draft in drafts:
            current = existing.get(known[_place_key(draft)]) if _place_key(draft) in known else None
            try:
                if current is None:
                    new = new_object(draft, actor=self.actor, default_type=self.default_type)
                    self.writer.create(new, _units(draft, new.pk))
                else:
                    changed: Mapping[str, Any] = differences(draft, current, actor=self.actor)
                    self.writer.update(current, changed, _units(draft, current.pk))
            except ValueError as error:
                problems.append(RowProblem(draft.row, [str(error)]))
        written = self.writer.write()
        self.result.created += written.created
        self.result.updated += written.updated
        self.result.unchanged += written.unchanged
        self.result.units_created += written.units


def _place_key(draft: Draft) -> bytes:
    """An address is one of its city's."""
    return draft.city_id.bytes + draft.key


def _units(draft: Draft, object_id: UUID) -> UnitCount | None:
    if not draft.units:
        return None
    return UnitCount(object_id, draft.city_id, draft.units, draft.entrances, draft.floors)
