"""A table as the import sees it, wherever its rows come from: a header and rows of text.

The limits of what is read stand here. A file beyond one of them is refused with a sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _

MAX_COLUMNS = 200
MAX_ROWS = 1_000_000
# Lines without content cost time as well, and pack into nothing.
MAX_EMPTY = 1_100_000
# Unpacked; a register of a million houses is about 150 MB. What grows beyond is a bomb.
MAX_BYTES = 512 * 1024 * 1024
# Characters of a cell, as in a spreadsheet; and of a text file's row with all its line breaks.
MAX_CELL = 32_767
MAX_RECORD = 2_000_000
# Lines are numbered as in the largest spreadsheet, and text files may have some more.
MAX_LINE = 2**31


class BrokenFileError(Exception):
    """The file as a whole cannot be imported. `str()` is a sentence for a person."""


class Row(NamedTuple):
    """One row of data. `line` is where a person finds it: the file's line, or the sheet's row."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Records:
    """All rows of a file that are not empty, from the top, read as they are asked for.

    about: how many rows to expect; 0 when unknown.
    ragged: rows are as long as they have content, for a spreadsheet does not keep empty cells.
    sheets: the names of a workbook's sheets.
    Iterating raises BrokenFileError where the file turns out to be damaged.
    """

    rows: Iterator[Row]
    about: int = 0
    ragged: bool = False
    sheets: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it, read as they are asked for.

    `about` is how many rows to expect, for a progress bar; 0 when unknown.
    Iterating `rows` raises BrokenFileError where the file turns out to be damaged.
    """

    header: list[str]
    rows: Iterator[Row]
    about: int = 0


def table_of(records: Records, *, header_line: int = 0, width: int = 0) -> Table:
    """The rows as a table. The header is the first row that is not empty, from `header_line` on.

    width: a spreadsheet's columns at least, where more of them have content than the header names.
    Raises BrokenFileError.
    """
    header = next((row for row in records.rows if row.line >= header_line), None)
    if header is None:
        raise BrokenFileError(_("The file is empty."))
    cells, rows = header.cells, records.rows
    if records.ragged:
        cells = fitted(cells, max(width, len(trimmed(cells))))
        rows = (Row(row.line, fitted(row.cells, len(cells))) for row in rows)
    return Table(header=cells, rows=rows, about=max(records.about - 1, 0))


def trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at the end."""
    width = next((at for at in range(len(cells), 0, -1) if cells[at - 1]), 0)
    return cells[:width]


def fitted(cells: list[str], width: int) -> list[str]:
    """The row as wide as the table: empty cells right of it come and go with the row's formatting."""
    if len(cells) > width:
        cells = [*cells[:width], *trimmed(cells[width:])]
    return cells + [""] * (width - len(cells))


def too_many_rows() -> BrokenFileError:
    """The refusal of a file with more rows than are read."""
    return BrokenFileError(_("The file has more than %(rows)d rows.") % {"rows": MAX_ROWS})


def too_many_columns(line: int) -> BrokenFileError:
    """The refusal of a row with more cells than are read."""
    return BrokenFileError(_("Line %(line)d has too many columns.") % {"line": line})
