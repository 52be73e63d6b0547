"""Files to rows: CSV (plain or gzip) and XLSX, without ever holding a whole file in memory."""

import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, cast

from django.utils.translation import gettext as _

from crm.importing.encodings import survey
from crm.importing.table import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_EMPTY,
    MAX_RECORD,
    MAX_ROWS,
    BrokenFileError,
    Records,
    Row,
    Table,
    table_of,
    too_many_columns,
    too_many_rows,
)

_GZIP, _ZIP, _OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_DELIMITERS = ";,\t"
_PEEKED_LINES = 20
_CHUNK = 64 * 1024
# A workbook with a password is an OLE container with a stream of this name ([MS-OFFCRYPTO] 2.3.4.4).
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def open_table(file: BinaryIO) -> Table:
    """The table in a seekable binary file; its first row that is not empty is the header.

    Raises BrokenFileError, as `open_records` does.
    """
    return table_of(open_records(file))


def open_records(file: BinaryIO, *, sheet: str | None = None) -> Records:
    """The rows of a seekable binary file. What it is, is told by its bytes, not by its name.

    A CSV file is read through once beforehand, so that a truncated archive or a wrong encoding
    shows before the first row is handed out. `sheet` is the name of a workbook's sheet; without it
    the first that is not hidden is read. Raises BrokenFileError, also while rows are read.
    """
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    if not head:
        raise BrokenFileError(_("The file is empty."))
    if head.startswith(_ZIP):
        from crm.importing import xlsx  # noqa: PLC0415 - a CSV import spares openpyxl's 4 MB

        return xlsx.open_records(file, sheet=sheet)
    if head.startswith(_OLE):
        raise BrokenFileError(_why_not_ole(file))
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise BrokenFileError(
            _("The file is a web page or XML, whatever its name says. Save it as XLSX or CSV.")
        )
    return _open_csv(file, packed=head.startswith(_GZIP))


def _why_not_ole(file: BinaryIO) -> str:
    before = b""
    while chunk := file.read(_CHUNK):
        if _ENCRYPTED in before + chunk:
            return _("The workbook is protected with a password. Save it without one.")
        before = chunk[-len(_ENCRYPTED) :]
    return _("Old Excel files (.xls) cannot be read. Save it as XLSX or CSV.")


def _open_csv(file: BinaryIO, *, packed: bool) -> Records:
    try:
        encoding, lines = survey(_unpacked(file, packed=packed))
        file.seek(0)
        text = io.TextIOWrapper(_unpacked(file, packed=packed), encoding=encoding, newline="")
        found = _Lines(text)
        delimiter = _delimiter(found.peeked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BrokenFileError(
            _("The archive is damaged or was not transferred completely.")
        ) from error
    return Records(rows=_records(found, delimiter), about=max(lines, 0))


def _unpacked(file: BinaryIO, *, packed: bool) -> BinaryIO:
    """The plain bytes. Closing the wrapper leaves the caller's own file open."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb")) if packed else _Kept(file)


class _Kept(io.BufferedReader):
    """The text wrapper closes what it reads when it goes; the caller's file must survive it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(cast(io.RawIOBase, file))

    def close(self) -> None:
        """Let go of the file without closing it."""


class _Lines:
    """The lines of a text from its first that is not blank, some of them known beforehand.

    Without line ends, or inside an open quote, a «row» would grow to the size of the file: `fed` counts
    its characters, and whoever takes a row sets it back.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text = text
        self.fed = self.skipped = 0
        self._ahead: deque[str] = deque()
        while (line := self._read()) and not line.strip():
            self.skipped += 1
            self.fed = 0
            if self.skipped > MAX_EMPTY:
                raise too_many_rows()
        known = 0
        while line and len(self._ahead) < _PEEKED_LINES:
            self._ahead.append(line)
            known += len(line)
            self.fed = 0
            if known > MAX_RECORD:
                break
            line = self._read()
        else:
            self._ahead.extend([line] if line else [])
        self.fed = 0
        self.peeked = list(self._ahead)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._read()
        if not line:
            raise StopIteration
        return line

    def _read(self) -> str:
        line = self.text.readline(MAX_RECORD + 1)
        self.fed += len(line)
        if self.fed > MAX_RECORD:
            raise BrokenFileError(
                _("The file is not a table: it has a line that is longer than any row.")
            )
        return line


def _delimiter(lines: list[str]) -> str:
    """The one that the first line uses most; below a title that uses none, the one of the rows."""
    plain = ["".join(line.split('"')[::2]) for line in lines]
    if not plain:
        return _DELIMITERS[0]
    first = max(_DELIMITERS, key=plain[0].count)
    rest = plain[1:]

    def usual(delimiter: str) -> bool:
        return 2 * sum(delimiter in line for line in rest) >= len(rest)

    # Commas stand in every address: only a line with headings tells that they part cells.
    others = [each for each in ";\t" if rest and each != first and usual(each)]
    return others[0] if others and not (first in plain[0] and usual(first)) else first


def _records(lines: _Lines, delimiter: str) -> Iterator[Row]:
    """Rows; empty lines are none."""
    csv.field_size_limit(MAX_CELL)
    # Strict: after an unbalanced quote nobody knows where a row ends, and rows would run together.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = lines.skipped + 1
    count = empty = 0
    try:
        for cells in reader:
            lines.fed = 0
            if len(cells) > MAX_COLUMNS:
                raise too_many_columns(line)
            if any(cell.strip() for cell in cells):
                yield Row(line, cells)
                count += 1
            else:
                empty += 1
            if count > MAX_ROWS + 1 or empty > MAX_EMPTY:
                raise too_many_rows()
            line = lines.skipped + reader.line_num + 1
    except csv.Error as error:
        raise BrokenFileError(
            _("The file is not a table: quotes or line ends do not match, from line %(line)d on.")
            % {"line": line}
        ) from error
