"""The rows of an XLSX workbook, streamed (ECMA-376 part 1, section 18).

Neither a part nor a row is ever held as a tree: a hostile file costs no more memory than its shared
strings, which are bounded. Formulas are not evaluated: what the spreadsheet saw last is the value.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers.expat import ExpatError

from django.utils.translation import gettext as _

from crm.importing.table import MAX_BYTES, MAX_ROWS, BrokenFileError, Records, Row, too_many_rows
from crm.importing.xlsx_parts import read_dates, read_strings, read_workbook
from crm.importing.xlsx_sheet import SheetParser, column_number
from crm.importing.xml_stream import HostileXml, parsed

_MAX_PARTS = 2000
# A list of parts (the archive's directory) that is longer describes far more of them.
_LONGEST_READ = 512 * 1024
# The shared strings of a million addresses are about 30 MB; they and the styles are held whole.
_MAX_WHOLE_PART = 32 * 1024 * 1024
_PLAIN_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED_FLAG = 1
_CHUNK = 64 * 1024
_MAX_MERGED = 100_000
_MERGED = re.compile(
    rb"mergeCell [^<>]{0,200}?ref=[\"']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?[A-Z]{1,3}\$?(\d{1,7})[\"']"
)
_LONGEST_MERGED = 300
UNREADABLE = (
    zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError,
    OSError, OverflowError, RuntimeError, ExpatError, HostileXml, LookupError, zlib.error,
)  # fmt: skip


class _Guarded:
    """The file as zipfile reads it: it would load an archive's directory of any length at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read, unless it is more than any workbook needs."""
        if size > _LONGEST_READ:
            raise zipfile.BadZipFile
        return self._file.read(size)


def open_records(file: BinaryIO, *, sheet: str | None = None) -> Records:
    """The rows of one sheet; see crm.importing.reading.open_records.

    A cell that is merged downwards counts for each row that it covers, as it looks on the screen.
    """
    try:
        archive = zipfile.ZipFile(_Guarded(file))
        _refuse_bombs(archive)
        book = read_workbook(archive)
        path = book.sheets[sheet if sheet in book.sheets else book.first_sheet]
        strings = read_strings(archive, book)
        parser = SheetParser(strings, read_dates(archive, book), from_1904=book.from_1904)
        merged = _merged_downwards(archive, path)
    except UNREADABLE as error:
        raise BrokenFileError(_not_xlsx()) from error
    rows = _rows(archive, path, parser, merged)
    return Records(rows=rows, ragged=True, sheets=list(book.sheets))


def _not_xlsx() -> str:
    return _("The file is not a readable XLSX workbook.")


def _refuse_bombs(archive: zipfile.ZipFile) -> None:
    """Compare the stated sizes with the bounds; zipfile never unpacks more than is stated."""
    parts = archive.infolist()
    if any(part.flag_bits & _ENCRYPTED_FLAG for part in parts):
        raise BrokenFileError(_("The workbook is protected with a password. Save it without one."))
    if any(part.filename == "xl/workbook.bin" for part in parts):
        raise BrokenFileError(_("Binary workbooks (.xlsb) cannot be read. Save it as XLSX or CSV."))
    if any(part.filename == "content.xml" for part in parts):
        raise BrokenFileError(
            _("OpenDocument files (.ods) cannot be read. Save it as XLSX or CSV.")
        )
    if any(part.compress_type not in _PLAIN_OR_DEFLATED for part in parts):
        raise BrokenFileError(_not_xlsx())
    sheets = sum(part.file_size for part in parts if "worksheets/" in part.filename)
    whole = sum(
        part.file_size
        for part in parts
        if part.filename.startswith("xl/")
        and part.filename.endswith((".xml", ".rels"))
        and "worksheets/" not in part.filename
    )
    if len(parts) > _MAX_PARTS or sheets > MAX_BYTES or whole > _MAX_WHOLE_PART:
        raise BrokenFileError(_("The file is too large when unpacked."))


def _merged_downwards(archive: zipfile.ZipFile, path: str) -> dict[int, list[tuple[int, int]]]:
    """First row of a merged range → its column (from 0) and last row.

    The ranges stand behind the rows: the part is looked through once, without parsing it.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    count = 0
    with archive.open(path) as part:
        before = b""
        while chunk := part.read(_CHUNK):
            text = before + chunk
            end = 0
            for match in _MERGED.finditer(text):
                first, last = int(match[2]), int(match[3])
                end = match.end()
                count += 1
                if last > first and count <= _MAX_MERGED:
                    found.setdefault(first, []).append((column_number(match[1].decode()), last))
            before = text[max(end, len(text) - _LONGEST_MERGED) :]
    return found


def _rows(
    archive: zipfile.ZipFile,
    path: str,
    parser: SheetParser,
    merged: dict[int, list[tuple[int, int]]],
) -> Iterator[Row]:
    """Rows that are not empty, cells as text."""
    covered: dict[int, tuple[int, str]] = {}
    count = 0
    try:
        with archive, archive.open(path) as part:
            for _step in parsed(part, parser.handlers()):
                for line, cells in parser.taken():
                    count += 1
                    if count > MAX_ROWS + 1:
                        raise too_many_rows()
                    _fill(line, cells, covered)
                    for column, last in merged.get(line, ()):
                        if column in cells:
                            covered[column] = (last, cells[column])
                    yield Row(line, [cells.get(at, "") for at in range(max(cells) + 1)])
    except UNREADABLE as error:
        raise BrokenFileError(_not_xlsx()) from error


def _fill(line: int, cells: dict[int, str], covered: dict[int, tuple[int, str]]) -> None:
    for column, (last, text) in list(covered.items()):
        if line > last:
            del covered[column]
        else:
            cells.setdefault(column, text)
