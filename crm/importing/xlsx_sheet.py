"""A sheet's cells as text."""

import math
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from django.utils.translation import gettext as _
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from crm.importing.table import MAX_CELL, MAX_COLUMNS, MAX_LINE, BrokenFileError, too_many_columns
from crm.importing.xlsx_parts import Moment, plain
from crm.importing.xml_stream import Attributes, Handlers, HostileXml

# What a spreadsheet can hold; rows may be longer than a table by cells that are formatted and empty.
_MOST_CELLS = 16_384
# Elements without a row that has content: a sheet of 1,048,576 rows that are formatted and empty.
_MOST_IDLE = 3_000_000
_WHOLE_NUMBERS = 1e15  # beyond, a spreadsheet's number has lost digits anyway
_VALUES = frozenset({"v", "t"})


def column_number(letters: str) -> int:
    """The column, from 0: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class SheetParser:
    """Collects the rows that have content, each as column (from 0) → text."""

    def __init__(
        self, strings: list[str], moments: list[Moment | None], *, from_1904: bool
    ) -> None:
        self._strings, self._moments = strings, moments
        self._epoch = CALENDAR_MAC_1904 if from_1904 else CALENDAR_WINDOWS_1900
        self._done: list[tuple[int, dict[int, str]]] = []
        self._cells: dict[int, str] = {}
        self._line = self._next = self._elements = self._in_row = 0
        self._cell: Attributes = {}
        self._pieces: list[str] = []
        self._length = 0
        self._reading = self._phonetic = False

    def handlers(self) -> Handlers:
        """For xml_stream.parsed."""
        return Handlers(self._start, self._end, self._text)

    def taken(self) -> Iterator[tuple[int, dict[int, str]]]:
        """The rows since the last call: line and cells."""
        done, self._done = self._done, []
        return iter(done)

    def _start(self, tag: str, attributes: Attributes) -> None:
        self._elements += 1
        if self._elements > _MOST_IDLE:
            raise HostileXml
        if tag == "c":
            self._in_row += 1
            if self._in_row > _MOST_CELLS:
                raise too_many_columns(self._line)
            self._cell = attributes
            self._pieces.clear()
            self._length = 0
        elif tag in _VALUES:
            self._reading = not self._phonetic
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "row":
            self._line = max(self._line + 1, int(attributes.get("r", 0)))
            if self._line > MAX_LINE:
                raise HostileXml
            self._next = self._in_row = 0
            self._cells = {}

    def _text(self, piece: str) -> None:
        if self._reading:
            self._length += len(piece)
            self._refuse_longer(self._length)
            self._pieces.append(piece)

    def _refuse_longer(self, length: int) -> None:
        if length > MAX_CELL:
            raise BrokenFileError(
                _("Line %(line)d has a cell that is too long.") % {"line": self._line}
            )

    def _end(self, tag: str) -> None:
        if tag in _VALUES:
            self._reading = False
        elif tag == "c":
            self._end_cell()
        elif tag == "rPh":
            self._phonetic = False
        elif tag == "row" and self._cells:
            self._done.append((self._line, self._cells))
            self._cells = {}
            self._elements = 0

    def _end_cell(self) -> None:
        reference = self._cell.get("r")
        column = column_number(reference.rstrip("0123456789")) if reference else self._next
        self._next = column + 1
        if not self._pieces:
            return
        text = self._value("".join(self._pieces))
        if text:
            self._refuse_longer(len(text))
            if not 0 <= column < MAX_COLUMNS:
                raise too_many_columns(self._line)
            self._cells[column] = text

    def _value(self, raw: str) -> str:
        kind = self._cell.get("t", "n")
        if kind == "s":
            # A negative number would count from the end.
            return self._strings[int(raw)] if raw.strip().isdecimal() else ""
        if kind == "b":
            return str(raw.strip() in ("1", "true"))
        if kind != "n":
            return plain(raw)
        return self._number(raw.strip())

    def _number(self, raw: str) -> str:
        style = self._cell.get("s")
        moment = None
        if style and style.isdecimal() and int(style) < len(self._moments):
            moment = self._moments[int(style)]
        if moment is None and raw.isdecimal():
            return raw
        try:
            number = float(raw)
        except ValueError:
            return raw
        if not math.isfinite(number):
            return raw
        if moment is not None and (text := self._moment_text(number, moment)):
            return text
        # Every number is a float: house 5 is no «5.0», a phone is no «7.9E10».
        if number.is_integer() and abs(number) < _WHOLE_NUMBERS:
            return str(int(number))
        return repr(number)

    def _moment_text(self, number: float, moment: Moment) -> str:
        try:
            found = from_excel(number, self._epoch, timedelta=moment is Moment.SPAN)
        except (ValueError, OverflowError, TypeError):
            return ""
        if isinstance(found, timedelta):
            minutes = round(found.total_seconds() / 60)
            return f"{minutes // 60:02d}:{minutes % 60:02d}"
        if isinstance(found, datetime) and found.time() == time():
            return found.date().isoformat()
        return "" if found is None else found.isoformat()
