"""An uploaded file: opened once, read as often as it takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from crm.importing.guessing import FieldSet, header_among
from crm.importing.reading import open_records
from crm.importing.rows import in_batches
from crm.importing.table import BrokenFileError, Row, Table, table_of, trimmed

# What a person may upload: packed, before anything is unpacked. Commands read files of any size.
MAX_UPLOAD = 64 * 1024 * 1024
_PEEKED = 100
_SAMPLED = 50


@dataclass(frozen=True, slots=True)
class Sheet:
    """The table in an upload. Nothing of the file is held but a sample of its first rows.

    header_line: where the headings stand. sheets: the names of a workbook's sheets, empty for CSV;
    `sheet` is the one that is read.
    """

    file: BinaryIO
    header: list[str]
    header_line: int
    sample: Sequence[Row]
    about: int
    sheets: Sequence[str]
    sheet: str | None

    def table(self) -> Table:
        """The rows from the beginning. One reading at a time: it moves in the file."""
        records = open_records(self.file, sheet=self.sheet)
        return table_of(records, header_line=self.header_line, width=len(self.header))

    def count_rows(self) -> int:
        """Read the whole file once. Raises BrokenFileError where it is damaged, before a row is used."""
        return sum(1 for _row in self.table().rows)


def open_upload(
    file: BinaryIO,
    *,
    kinds: Iterable[FieldSet] = (),
    sheet: str | None = None,
    header_line: int | None = None,
    max_bytes: int | None = MAX_UPLOAD,
) -> Sheet:
    """Look at a seekable binary file: what it is, where its headings stand, what its first rows hold.

    kinds: whose headings tell the header from a title. sheet, header_line: as a person corrected them.
    Raises BrokenFileError with a sentence for a person; nothing else, whatever the bytes.
    """
    if max_bytes is not None and file.seek(0, 2) > max_bytes:
        raise BrokenFileError(
            _("The file is larger than %(limit)d MB.") % {"limit": max_bytes // (1024 * 1024)}
        )
    records = open_records(file, sheet=sheet)
    if sheet is not None and records.sheets and sheet not in records.sheets:
        raise BrokenFileError(_("The workbook has no sheet “%(sheet)s”.") % {"sheet": sheet})
    peeked = next(in_batches(records.rows, _PEEKED), [])
    if not peeked:
        raise BrokenFileError(_("The file is empty."))
    if header_line is None:
        head = header_among(peeked, kinds)
    else:
        below = (row for row in peeked if row.line >= header_line)
        head = next(below, None) or _no_such_line(header_line)
    sample = [row for row in peeked if row.line > head.line][:_SAMPLED]
    header = trimmed(head.cells) if records.ragged else head.cells
    if records.ragged:
        width = max(len(trimmed(row.cells)) for row in [head, *sample])
        header = header + [""] * (width - len(header))
    return Sheet(
        file=file,
        header=header,
        header_line=head.line,
        sample=sample,
        about=max(records.about - head.line, 0),
        sheets=records.sheets,
        sheet=sheet,
    )


def _no_such_line(line: int) -> Row:
    raise BrokenFileError(
        _("The headings cannot stand in line %(line)d: the first rows end before it.")
        % {"line": line}
    )
