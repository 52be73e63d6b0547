"""A table as the import sees it, wherever its rows come from: a header and rows of text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_COLUMNS = 200
MAX_ROWS = 1_000_000
# Unpacked; a register of a million houses is about 150 MB. What grows beyond is a bomb.
MAX_BYTES = 512 * 1024 * 1024


class BrokenFileError(Exception):
    """The file as a whole cannot be imported. `str()` is a sentence for a person."""


class Row(NamedTuple):
    """One row of data. `line` is where a person finds it: the file's line, or the sheet's row."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it, read as they are asked for.

    `about` is how many rows to expect, for a progress bar; 0 when unknown.
    Iterating `rows` raises BrokenFileError where the file turns out to be damaged.
    """

    header: list[str]
    rows: Iterator[Row]
    about: int = 0
