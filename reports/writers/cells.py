"""Cells of a sheet as XML, a column of a batch at a time.

Each value is written as what it is, whatever its column promises: a text is a text cell, also one that looks
like a number or a formula.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from reports.columns import Column
from reports.writers.strings import RepeatedTexts, SharedStrings
from reports.writers.styles import style_of, text_style_of
from reports.writers.text import plain_number, xml_text

# Excel counts days from here; before March 1900 it takes that year for a leap year.
_DAY_ZERO: Final = date(1899, 12, 30).toordinal()
_FIRST_DAY: Final = date(1900, 3, 1).toordinal()
# Beyond 15 digits Excel rounds: such a number is shown as text instead.
_MAX_EXACT: Final = 10**15
_NONE: Final = type(None)


def letters(index: int) -> str:
    """The name of a column: 0 → A, 26 → AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def serial(value: date) -> float | int | None:
    """Excel's number of a date or a naive datetime (whole seconds); None for one that Excel does not know."""
    day = value.toordinal()
    if day < _FIRST_DAY:
        return None
    if not isinstance(value, datetime):
        return day - _DAY_ZERO
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return day - _DAY_ZERO + seconds / 86400


class ColumnCells:
    """Makes the cells of one column of a sheet."""

    def __init__(self, index: int, column: Column, strings: SharedStrings) -> None:
        self._strings = strings
        self._repeated = RepeatedTexts(strings)
        self._open = f'<c r="{letters(index)}'
        self._style = style_of(column.kind)
        self._text_style = text_style_of(column.kind)

    def cells(self, rows: Sequence[int], values: Sequence[Any]) -> Sequence[str]:
        """The cells of the values in the rows of those numbers; an empty one has its style alone."""
        kinds = set(map(type, values))
        if _NONE in kinds:
            return self._with_gaps(rows, values)
        if len(kinds) == 1:
            make = self._MAKERS.get(kinds.pop())
            return make(self, rows, values) if make else self._texts(rows, list(map(str, values)))
        # Of several types: each on its own. Rare: a report's columns are of one type.
        return [self.cells([row], [one])[0] for row, one in zip(rows, values, strict=True)]

    def _with_gaps(self, rows: Sequence[int], values: Sequence[Any]) -> list[str]:
        empty = f'" s="{self._text_style}"/>'
        present = [value for value in values if value is not None]
        if not present:
            return [f"{self._open}{row}{empty}" for row in rows]
        places = [row for row, value in zip(rows, values, strict=True) if value is not None]
        made = iter(self.cells(places, present))
        return [
            f"{self._open}{row}{empty}" if value is None else next(made)
            for row, value in zip(rows, values, strict=True)
        ]

    def _texts(self, rows: Sequence[int], values: Sequence[str]) -> list[str]:
        if self._strings.full:
            return self._inline(rows, values)
        middle = f'" s="{self._text_style}" t="s"><v>'
        return [
            f"{self._open}{row}{middle}{number}</v></c>"
            for row, number in zip(rows, self._repeated.numbers(values), strict=True)
        ]

    def _inline(self, rows: Sequence[int], values: Sequence[str]) -> list[str]:
        middle = f'" s="{self._text_style}" t="inlineStr"><is><t xml:space="preserve">'
        return [
            f"{self._open}{row}{middle}{xml_text(value)}</t></is></c>"
            for row, value in zip(rows, values, strict=True)
        ]

    def _dates(self, rows: Sequence[int], values: Sequence[date]) -> Sequence[str]:
        return self._numbered(rows, values, [serial(value) for value in values])

    def _integers(self, rows: Sequence[int], values: Sequence[int]) -> Sequence[str]:
        exact = [value if -_MAX_EXACT < value < _MAX_EXACT else None for value in values]
        return self._numbered(rows, values, exact)

    def _reals(self, rows: Sequence[int], values: Sequence[Any]) -> Sequence[str]:
        return self._numbered(rows, values, [plain_number(value) for value in values])

    def _numbered(
        self, rows: Sequence[int], values: Sequence[Any], numbers: Sequence[Any]
    ) -> Sequence[str]:
        """Number cells; a value that has no number is written as text."""
        middle = f'" s="{self._style}"><v>'
        return [
            f"{self._open}{row}{middle}{number}</v></c>"
            if number is not None
            else self._texts([row], [str(value)])[0]
            for row, value, number in zip(rows, values, numbers, strict=True)
        ]

    def _booleans(self, rows: Sequence[int], values: Sequence[bool]) -> list[str]:
        middle = f'" s="{self._style}" t="b"><v>'
        return [
            f"{self._open}{row}{middle}{value:d}</v></c>"
            for row, value in zip(rows, values, strict=True)
        ]

    _MAKERS: ClassVar[dict[type, Callable[..., Sequence[str]]]] = {
        str: _texts,
        bool: _booleans,
        int: _integers,
        float: _reals,
        Decimal: _reals,
        datetime: _dates,
        date: _dates,
    }
