"""The import of customers, batch by batch: read, place, match, write, tell."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clients.importing.deciding import Decision, decide
from clients.importing.drafts import CustomerDraft, CustomerReading
from clients.importing.surroundings import Placed, Surroundings, buildings
from clients.importing.writing import write
from clients.models import Customer, Interest
from clients.services import REFUSALS
from crm.editing import refusal_of
from crm.errors import Duplicate, Invalid
from crm.importing.basis import Basis, ChangedSince
from crm.importing.kinds import Task
from crm.importing.outcomes import Outcome, RowResult
from crm.importing.rows import RowProblem
from crm.importing.showing import Showing
from crm.importing.table import Row
from crm.users.models import User
from objects.importing.address_index import AddressIndex
from objects.importing.addresses import address_key
from objects.importing.matching import learn_city
from objects.importing.places import Places
from objects.services import UNIT_REFUSALS

_NEW_UNIT = b"u"


@contextmanager
def begin(task: Task) -> Iterator["CustomerImporter"]:
    """An import of customers."""
    usual = task.options.city_id
    if usual is None and task.actor is not None:
        usual = task.actor.city_id
    with AddressIndex() as index:
        yield CustomerImporter(
            reading=CustomerReading(task.columns, Places(), city_id=usual),
            index=index,
            actor=task.actor,
            basis=task.basis,
            showing=Showing(
                Customer, task.actor, words={each.value: str(each.label) for each in Interest}
            ),
        )


@dataclass(slots=True)
class CustomerImporter:
    """See crm.importing.kinds.Importer."""

    reading: CustomerReading
    index: AddressIndex
    actor: User | None
    basis: Basis | None
    showing: Showing
    learnt: set[UUID] = field(default_factory=set)

    def plan(self, rows: Sequence[Row]) -> list[RowResult]:
        """What would become of a batch."""
        return self._take(rows, writing=False)

    def apply(self, rows: Sequence[Row]) -> list[RowResult]:
        """Write a batch. What the database refuses of it is tried row by row."""
        try:
            with transaction.atomic():
                return self._take(rows, writing=True)
        except (IntegrityError, ChangedSince) as error:
            if len(rows) > 1:
                return [result for row in rows for result in self.apply([row])]
            return [self._problem(RowProblem(rows[0], _why(error)))]

    def _take(self, rows: Sequence[Row], *, writing: bool) -> list[RowResult]:
        results: dict[int, RowResult] = {}
        drafts: list[CustomerDraft] = []
        for row in rows:
            read = self.reading.draft(row)
            if isinstance(read, CustomerDraft):
                drafts.append(read)
            else:
                results[row.line] = self._problem(read)
        placed = self._placed(drafts, results, lock=writing)
        around = Surroundings(placed, actor=self.actor)
        decided: list[tuple[Placed, Decision]] = []
        for each in placed:
            line = each.draft.row.line
            try:
                if (repeat := self._repeat(each)) is not None:
                    results[line] = repeat
                    continue
                decision = decide(each, around, basis=self.basis)
                if (repeat := self._same_record(each, decision)) is not None:
                    results[line] = repeat
                    continue
                decided.append((each, decision))
            except ValueError as error:
                problem = RowProblem(each.draft.row, [str(sentence) for sentence in error.args])
                results[line] = self._problem(problem)
        # Told before it is written: the write brings the records' versions up to date.
        for each, decision in decided:
            results[each.draft.row.line] = self._result(each, decision, planned=not writing)
        if writing:
            write([decision for _placed, decision in decided], actor=self.actor)
        return [results[row.line] for row in rows]

    # --- where ------------------------------------------------------------------------------------

    def _placed(
        self, drafts: Sequence[CustomerDraft], results: dict[int, RowResult], *, lock: bool
    ) -> list[Placed]:
        """The rows whose building is in sight."""
        names = self.reading.places.city_names
        for city_id in {draft.city_id for draft in drafts} - self.learnt:
            learn_city(self.index, city_id, name=names[city_id], actor=self.actor)
            self.learnt.add(city_id)
        known = self.index.known({key for draft in drafts for key, _unit in draft.places})
        objects = buildings(set(known.values()), actor=self.actor, lock=lock)
        placed: list[Placed] = []
        for draft in drafts:
            for key, number in draft.places:
                found = objects.get(known[key]) if key in known else None
                # Its address may have been corrected since it was learnt.
                if found and address_key(found.address, city=names[draft.city_id]) == key[16:]:
                    placed.append(Placed(draft, found, number))
                    break
            else:
                sentence = _("There is no object with the address “%(address)s” in %(city)s.")
                said = {"address": draft.address, "city": names[draft.city_id]}
                results[draft.row.line] = self._problem(RowProblem(draft.row, [sentence % said]))
        return placed

    # --- twice in the file ------------------------------------------------------------------------

    def _repeat(self, row: Placed) -> RowResult | None:
        """What a row comes to that names somebody whom a line above names."""
        line, digest = row.draft.row.line, _digest(row)
        flat = repr((row.object.pk, (row.unit_number or "").casefold(), row.draft.name))
        named = blake2b(flat.encode(), digest_size=32).digest() if row.draft.name else None
        keys: list[bytes] = []
        if row.draft.phone:
            keys.append(b"p" + row.draft.phone.encode())
        if named:
            # Two people of one name with a phone each are two; with and without one they are the same.
            keys.append(b"n" + named)
            if not row.draft.phone:
                keys.append(b"w" + named)
        for key in keys:
            seen = self.index.seen(key)
            if seen is not None and seen[0] != line:
                return self._twice(row, seen[0], same=seen[1] == digest)
        if row.draft.phone:
            self.index.note(keys[0], line, digest)
        if named:
            self.index.note((b"w" if row.draft.phone else b"n") + named, line, digest)
        return None

    def _same_record(self, row: Placed, decision: Decision) -> RowResult | None:
        """The same, of a customer whom two lines name in different ways."""
        if decision.before is None:
            return None
        key, line, digest = b"r" + decision.before.pk.bytes, row.draft.row.line, _digest(row)
        seen = self.index.seen(key)
        if seen is not None and seen[0] != line:
            return self._twice(row, seen[0], same=seen[1] == digest)
        self.index.note(key, line, digest)
        return None

    def _twice(self, row: Placed, first: int, *, same: bool) -> RowResult:
        if same:
            outcome, sentence = Outcome.REPEAT, _("Repeats line %(line)d.")
        else:
            outcome = Outcome.PROBLEM
            sentence = _("The customer is that of line %(line)d, which says other things.")
        return self._told(row.draft.row, outcome, sentences=[sentence % {"line": first}])

    # --- what it comes to -------------------------------------------------------------------------

    def _result(self, row: Placed, decision: Decision, *, planned: bool) -> RowResult:
        before = decision.before
        if before is None:
            outcome = Outcome.CREATE
        else:
            outcome = Outcome.UPDATE if decision.changes else Outcome.UNCHANGED
        changes = {
            column: decision.changes[column] for column in decision.changes if column != "object_id"
        }
        names = {before.unit.pk: before.unit.unit_number} if before and before.unit else {}
        if row.unit_number is not None and decision.record.unit_id is not None:
            names[decision.record.unit_id] = row.unit_number
        return self._told(
            row.draft.row,
            outcome,
            changes=self.showing.changes(
                {column: getattr(before, column) for column in changes} if before else {},
                changes,
                names=names,
            ),
            record_id=None if planned and before is None else decision.record.pk,
            version=before.version if before else None,
            new_units=int(self._adds_unit(row, decision, planned=planned)),
        )

    def _adds_unit(self, row: Placed, decision: Decision, *, planned: bool) -> bool:
        if decision.unit is None or not planned:
            return decision.unit is not None
        # Nothing is written: the next batch will not find the flat either.
        number = (row.unit_number or "").casefold().encode()
        key, line = _NEW_UNIT + row.object.pk.bytes + number, row.draft.row.line
        seen = self.index.seen(key)
        self.index.note(key, line, b"")
        return seen is None or seen[0] == line

    def _problem(self, problem: RowProblem) -> RowResult:
        return self._told(problem.row, Outcome.PROBLEM, sentences=problem.sentences)

    def _told(self, row: Row, outcome: Outcome, **facts: Any) -> RowResult:
        return RowResult(row.line, outcome, self.reading.title(row), row.cells, **facts)


def _digest(row: Placed) -> bytes:
    """Equal for rows that say the same about the same flat, however they spell the address."""
    said = repr((row.object.pk, row.unit_number, sorted(row.draft.given.items())))
    return blake2b(said.encode(), digest_size=16).digest()


def _why(error: IntegrityError | ChangedSince) -> list[str]:
    """What the database refused, in words."""
    if isinstance(error, ChangedSince):
        return [str(error)]
    refusal = refusal_of(error, {**REFUSALS, **UNIT_REFUSALS})
    if isinstance(refusal, Duplicate):
        return [str(refusal.message)]
    if isinstance(refusal, Invalid):
        return [str(each) for sentences in refusal.fields.values() for each in sentences]
    return [_("The database refused this row.")]
