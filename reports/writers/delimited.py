"""CSV as RFC 4180 has it, in the dialect of the reader's language.

Excel takes the separator and the decimal sign from the country that the computer is set to, and cannot be
told another without losing the encoding: a Russian one wants `;` and `1,5`, and takes `1.5` for the first of
May. Programs, which ask for raw values, get `,` and `1.5`.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.utils import translation

from reports.columns import Column
from reports.writers.batches import Progress, batches
from reports.writers.text import csv_text, plain_number


class Dialect(NamedTuple):
    """How values are written. day: of a date."""

    delimiter: str = ","
    decimal: str = "."
    day: Callable[[date], str] = date.isoformat


def _day_first(value: date) -> str:
    return f"{value.day:02}.{value.month:02}.{value.year:04}"


_PLAIN: Final = Dialect()
_DIALECTS: Final = {"ru": Dialect(";", ",", _day_first)}


def write_csv(
    path: Path,
    *,
    title: str,  # noqa: ARG001 - a CSV file has no place for it
    columns: Sequence[Column],
    rows: Iterator[Sequence[Any]],
    language: str,
    raw: bool,
    progress: Progress,
) -> None:
    """Write a whole CSV file, UTF-8 with a mark that tells Excel so; see `reports.writers.write`."""
    dialect = _PLAIN if raw else _DIALECTS.get(language[:2], _PLAIN)
    with translation.override(language):
        headers = [column.key if raw else str(column.label) for column in columns]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        cells = Cells(dialect)
        lines = csv.writer(file, delimiter=dialect.delimiter, lineterminator="\r\n")
        lines.writerow([csv_text(header) for header in headers])
        for batch in batches(rows, progress):
            values = zip(*batch, strict=True)
            lines.writerows(zip(*(cells.of(each) for each in values), strict=True))
            progress.rows += len(batch)


class Cells:
    """Makes cells of values. The texts are not quoted yet."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._makers: dict[type, Callable[[Any], str]] = {
            str: csv_text,
            bool: {True: "true", False: "false"}.__getitem__,
            int: str,
            float: self._number,
            Decimal: self._number,
            datetime: self._moment,
            date: dialect.day,
            type(None): lambda _value: "",
        }

    def of(self, values: Sequence[Any]) -> list[str]:
        """The cells of one column's values."""
        makers = self._makers
        return [makers.get(type(value), self._other)(value) for value in values]

    def _number(self, value: Any) -> str:
        shown = plain_number(value)
        return self._other(value) if shown is None else shown.replace(".", self._dialect.decimal)

    def _moment(self, value: datetime) -> str:
        return f"{self._dialect.day(value.date())} {value.hour:02}:{value.minute:02}"

    def _other(self, value: Any) -> str:
        return csv_text(str(value))
