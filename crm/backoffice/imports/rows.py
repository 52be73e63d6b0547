"""Rows of a check or a run as they are kept: packed lists, read back page by page."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from crm.backoffice.imports.models import Part, Upload
from crm.importing.outcomes import FieldChange, Outcome, RowResult

# What is left out can be mended and imported again: its cells are kept. The others' are in the system.
CELLS_KEPT = frozenset({Outcome.PROBLEM, Outcome.REPEAT})


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one outcome (or of all), and how many there are in all."""

    rows: Sequence[RowResult]
    number: int
    pages: int
    total: int


def packed(rows: Iterable[RowResult]) -> bytes:
    """Rows for storing."""
    return zlib.compress(json.dumps([_plain(row) for row in rows], ensure_ascii=False).encode(), 6)


def unpacked(stored: bytes) -> list[RowResult]:
    """Stored rows."""
    return [_row(one) for one in json.loads(zlib.decompress(stored))]


def _plain(row: RowResult) -> list[Any]:
    return [
        row.line,
        row.outcome.value,
        row.title,
        list(row.cells) if row.outcome in CELLS_KEPT else [],
        [[one.field, one.label, one.before, one.after] for one in row.changes],
        [str(one) for one in row.sentences],
        None if row.record_id is None else str(row.record_id),
        row.new_units,
    ]


def _row(one: list[Any]) -> RowResult:
    line, outcome, title, cells, changes, sentences, record_id, new_units = one
    return RowResult(
        line=line,
        outcome=Outcome(outcome),
        title=title,
        cells=cells,
        changes=[FieldChange(*change) for change in changes],
        sentences=sentences,
        record_id=record_id,
        new_units=new_units,
    )


def parts_of(upload: Upload, stage: str) -> QuerySet[Part]:
    """The parts of one stage, from the top of the file."""
    return Part.objects.filter(upload=upload, stage=stage).order_by("last_line")


def totals_of(upload: Upload, stage: str) -> dict[str, int]:
    """The sum of what the parts count."""
    totals: dict[str, int] = {}
    for counts in parts_of(upload, stage).values_list("counts", flat=True).iterator():
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
    return totals


def page_of(upload: Upload, stage: str, *, outcome: Outcome | None, number: int, size: int) -> Page:
    """A page of rows; `number` counts from 1, and is brought into what there is.

    Reads the counts of all parts (one for 250 rows), and the rows of those that the page lies in.
    """
    key = "rows" if outcome is None else outcome.value
    counts = [
        (pk, found.get(key, 0)) for pk, found in parts_of(upload, stage).values_list("pk", "counts")
    ]
    total = sum(count for _pk, count in counts)
    pages = max(1, -(-total // size))
    number = min(max(number, 1), pages)
    first, last = (number - 1) * size, min(number * size, total)
    before, wanted, skipped = 0, [], None
    for pk, count in counts:
        if count and before < last and before + count > first:
            if skipped is None:
                skipped = first - before
            wanted.append(pk)
        before += count
    found = [row for row in _rows_of(wanted) if outcome is None or row.outcome == outcome]
    start = skipped or 0
    return Page(found[start : start + last - first], number, pages, total)


def _rows_of(parts: list[Any]) -> Iterator[RowResult]:
    for stored in (
        Part.objects.filter(pk__in=parts).order_by("last_line").values_list("rows", flat=True)
    ):
        yield from unpacked(bytes(stored))


def all_rows(upload: Upload, stage: str) -> Iterator[RowResult]:
    """Every row, a part in memory at a time."""
    for stored in parts_of(upload, stage).values_list("rows", flat=True).iterator(chunk_size=20):
        yield from unpacked(bytes(stored))
