"""The first sheet of an XLSX file as a table.

openpyxl parses with defusedxml when that is installed, which this project requires; the bounds here
are against archives that unpack to far more than they weigh.
"""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from objects.importing.table import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, BrokenFileError, Row, Table

# openpyxl holds these parts whole: the shared strings of a million addresses are about 30 MB,
# styles and the rest are small.
_MAX_WHOLE_PART = 32 * 1024 * 1024
_MAX_PARTS = 2000
_UNREADABLE = (
    zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, AttributeError,
    IndexError, EOFError, OSError, ParseError, DefusedXmlException, NotImplementedError,
)  # fmt: skip


def open_table(file: BinaryIO) -> Table:
    """The table on the file's first sheet; the first row that is not empty is the header.

    Raises BrokenFileError, also while the rows are read.
    """
    _refuse_bombs(file)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # The dimension that a file states about itself is often wrong.
        sheet.reset_dimensions()
        about = 0
    except _UNREADABLE as error:
        raise BrokenFileError(_not_xlsx()) from error
    rows = _rows(sheet)
    first = next(rows, None)
    if first is None:
        raise BrokenFileError(_("The file is empty."))
    width = max(at for at, cell in enumerate(first.cells) if cell) + 1
    return Table(header=first.cells[:width], rows=_fitted(rows, width), about=about)


def _not_xlsx() -> str:
    return _("The file is not a readable XLSX workbook.")


def _refuse_bombs(file: BinaryIO) -> None:
    """Compare the stated sizes with the bounds; zipfile never unpacks more than is stated."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except _UNREADABLE as error:
        raise BrokenFileError(_not_xlsx()) from error
    sheets = sum(part.file_size for part in parts if "worksheets/" in part.filename)
    whole = sum(part.file_size for part in parts) - sheets
    if len(parts) > _MAX_PARTS or sheets > MAX_BYTES or whole > _MAX_WHOLE_PART:
        raise BrokenFileError(_("The file is too large when unpacked."))
    file.seek(0)


def _rows(sheet: Any) -> Iterator[Row]:
    """Rows that are not empty, cells as text."""
    # One row more than allowed is asked for, so that a longer sheet is refused, not cut.
    found = sheet.iter_rows(max_col=MAX_COLUMNS, max_row=MAX_ROWS + 2, values_only=True)
    try:
        for line, values in enumerate(found, start=1):
            if line > MAX_ROWS + 1:
                raise BrokenFileError(
                    _("The file has more than %(rows)d rows.") % {"rows": MAX_ROWS}
                )
            cells = [_text(value) for value in values]
            if any(cells):
                yield Row(line, cells)
    except _UNREADABLE as error:
        raise BrokenFileError(_not_xlsx()) from error


def _fitted(rows: Iterator[Row], width: int) -> Iterator[Row]:
    """Empty cells right of the table come and go with the row's formatting: no cells of the row."""
    for line, cells in rows:
        while len(cells) > width and not cells[-1]:
            cells.pop()
        yield Row(line, cells + [""] * (width - len(cells)))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        # Excel keeps every number as a float: house 5 is no «5.0», a phone is no «7.9E10».
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()
