"""Files to rows: CSV (plain or gzip) and XLSX, without ever holding a whole file in memory."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from django.utils.translation import gettext as _

from objects.importing.encodings import survey
from objects.importing.table import MAX_COLUMNS, MAX_ROWS, BrokenFileError, Row, Table

_GZIP, _ZIP, _OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_DELIMITERS = ";,\t"
_LONGEST_CELL = 32_767  # as in a spreadsheet


def open_table(file: BinaryIO) -> Table:
    """The table in a seekable binary file. What it is, is told by its bytes, not by its name.

    A CSV file is read through once beforehand, so that a truncated archive or a wrong encoding
    shows before the first row is handed out. Raises BrokenFileError.
    """
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    if not magic:
        raise BrokenFileError(_("The file is empty."))
    if magic.startswith(_ZIP):
        from objects.importing import xlsx  # noqa: PLC0415 - a CSV import spares openpyxl's 4 MB

        return xlsx.open_table(file)
    if magic.startswith(_OLE):
        raise BrokenFileError(_("Old Excel files (.xls) cannot be read. Save it as XLSX or CSV."))
    return _open_csv(file, packed=magic.startswith(_GZIP))


def _open_csv(file: BinaryIO, *, packed: bool) -> Table:
    try:
        encoding, lines = survey(_unpacked(file, packed=packed))
        file.seek(0)
        text = io.TextIOWrapper(_unpacked(file, packed=packed), encoding=encoding, newline="")
        records = _records(text)
        first = next(records, None)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BrokenFileError(
            _("The archive is damaged or was not transferred completely.")
        ) from error
    if first is None:
        raise BrokenFileError(_("The file is empty."))
    return Table(header=first.cells, rows=records, about=max(lines - 1, 0))


def _unpacked(file: BinaryIO, *, packed: bool) -> BinaryIO:
    """The plain bytes. Closing the wrapper leaves the caller's own file open."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb")) if packed else _Kept(file)


class _Kept(io.BufferedReader):
    """The text wrapper closes what it reads when it goes; the caller's file must survive it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(cast(io.RawIOBase, file))

    def close(self) -> None:
        """Let go of the file without closing it."""


def _records(text: io.TextIOWrapper) -> Iterator[Row]:
    """Header and rows; empty lines are no rows. The delimiter is the one the header uses most."""
    head = ""
    skipped = 0
    for head in text:
        if head.strip():
            break
        skipped += 1
    outside_quotes = "".join(head.split('"')[::2])
    delimiter = max(_DELIMITERS, key=outside_quotes.count)
    csv.field_size_limit(_LONGEST_CELL)
    # Strict: after an unbalanced quote nobody knows where a row ends, and rows would run together.
    reader = csv.reader(_chained(head, text), delimiter=delimiter, strict=True)
    line = skipped + 1
    count = 0
    try:
        for cells in reader:
            if len(cells) > MAX_COLUMNS:
                raise BrokenFileError(_("Line %(line)d has too many columns.") % {"line": line})
            if any(cell.strip() for cell in cells):
                yield Row(line, cells)
                count += 1
            if count > MAX_ROWS + 1:
                raise BrokenFileError(
                    _("The file has more than %(rows)d rows.") % {"rows": MAX_ROWS}
                )
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise BrokenFileError(
            _("The file is not a table: quotes or line ends do not match, from line %(line)d on.")
            % {"line": line}
        ) from error


def _chained(head: str, rest: io.TextIOWrapper) -> Iterator[str]:
    yield head
    yield from rest
