"""A workbook written as its rows come, in memory that does not grow with them.

Why not one of the libraries: docs/decisions/report-files.md.
"""

import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

from django.utils import translation

from reports.columns import Column
from reports.writers import package
from reports.writers.batches import Progress, batches
from reports.writers.cells import ColumnCells, letters
from reports.writers.strings import MAX_PART, SharedStrings
from reports.writers.styles import (
    HEADER_HEIGHT,
    LINE,
    header_style_of,
    height_of,
    styles_xml,
    width_of,
    wraps,
)

# A sheet has 1,048,576 rows; the first is the header.
MAX_ROWS: Final = 1_048_575
# Level 6 makes the file a tenth smaller for thrice the time.
_LEVEL: Final = 1
_PADDING: Final = 0.71
_PAGE: Final = (
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
    '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>'
    "<headerFooter><oddFooter>&amp;L&amp;A&amp;R&amp;P / &amp;N</oddFooter></headerFooter>"
)


def write_xlsx(
    path: Path,
    *,
    title: str,
    columns: Sequence[Column],
    rows: Iterator[Sequence[Any]],
    language: str,
    raw: bool,
    progress: Progress,
) -> None:
    """Write a whole workbook; see `reports.writers.write`."""
    with translation.override(language):
        headers = [column.key if raw else str(column.label) for column in columns]
    with (
        SharedStrings(path.parent) as strings,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
    ):
        # Programs tell a workbook from another archive by what comes first in it.
        archive.writestr("_rels/.rels", package.relationships_xml())
        archive.writestr("docProps/core.xml", package.properties_xml(title, language))
        archive.writestr("xl/styles.xml", styles_xml(language))
        names: list[str] = []
        lengths: list[int] = []
        following = next(rows, None)
        while following is not None or not names:
            names.append(package.sheet_name(title, len(names) + 1))
            sheet = Sheet(columns, headers, strings, progress)
            given = rows if following is None else chain((following,), rows)
            with archive.open(f"xl/worksheets/sheet{len(names)}.xml", "w") as part:
                sheet.write(part, given)
            lengths.append(sheet.last_row)
            following = next(rows, None)
        with archive.open("xl/sharedStrings.xml", "w") as part:
            strings.copy_to(part, progress.tick)
        last = letters(len(columns) - 1)
        archive.writestr("xl/workbook.xml", package.workbook_xml(names, last, lengths))
        archive.writestr(
            "xl/_rels/workbook.xml.rels", package.workbook_relationships_xml(len(names))
        )
        archive.writestr("[Content_Types].xml", package.content_types_xml(len(names)))


class Sheet:
    """One sheet: header, rows until it is full, filter."""

    def __init__(
        self,
        columns: Sequence[Column],
        headers: Sequence[str],
        strings: SharedStrings,
        progress: Progress,
    ) -> None:
        self._columns = columns
        self._headers = headers
        self._strings = strings
        self._progress = progress
        self._cells = [
            ColumnCells(number, column, strings) for number, column in enumerate(columns)
        ]
        self._wrapped: list[tuple[int, float]] = []
        self.last_row = 1

    def write(self, part: IO[bytes], rows: Iterator[Sequence[Any]]) -> None:
        """Take rows until there are none, or the sheet is as long or its part as big as it may be."""
        taken = batches(rows, self._progress, limit=MAX_ROWS)
        first = next(taken, [])
        size = part.write(self._top(first).encode())
        for batch in chain([first] if first else [], taken):
            size += part.write(self._rows(batch))
            self._progress.rows += len(batch)
            if size > MAX_PART:
                break
        filtered = f"A1:{letters(len(self._columns) - 1)}{self.last_row}"
        part.write(
            f'</sheetData><autoFilter ref="{filtered}"/>{_PAGE}<ignoredErrors><ignoredError'
            f' sqref="{filtered}" numberStoredAsText="1"/></ignoredErrors></worksheet>'.encode()
        )

    def _top(self, sample: Sequence[Sequence[Any]]) -> str:
        """Everything above the rows, the header included. Widths come first in a sheet: hence the sample."""
        values = list(zip(*sample, strict=True)) or [()] * len(self._columns)
        widths = [
            width_of(column.kind, header, each)
            for column, header, each in zip(self._columns, self._headers, values, strict=True)
        ]
        self._wrapped = [
            (place, width)
            for place, (column, width) in enumerate(zip(self._columns, widths, strict=True))
            if wraps(column.kind)
        ]
        told = "".join(
            f'<col min="{number}" max="{number}" width="{width + _PADDING:.2f}" customWidth="1"/>'
            for number, width in enumerate(widths, 1)
        )
        header = "".join(
            f'<c r="{letters(number)}1" s="{header_style_of(column.kind)}" t="s"><v>{text}</v></c>'
            for number, (column, text) in enumerate(
                zip(self._columns, self._strings.add(self._headers), strict=True)
            )
        )
        return (
            f'{package.DECLARATION}<worksheet xmlns="{package.MAIN}">'
            '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            '<selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="{LINE}"/><cols>{told}</cols><sheetData>'
            f'<row r="1" ht="{HEADER_HEIGHT}" customHeight="1">{header}</row>'
        )

    def _rows(self, batch: Sequence[Sequence[Any]]) -> bytes:
        """The batch as rows of the sheet, made a column at a time."""
        rows = range(self.last_row + 1, self.last_row + 1 + len(batch))
        self.last_row += len(batch)
        values = list(zip(*batch, strict=True))
        made = [column.cells(rows, each) for column, each in zip(self._cells, values, strict=True)]
        return "".join(
            [
                f'<row r="{row}"{height}>{"".join(cells)}</row>'
                for row, height, cells in zip(
                    rows, self._heights(values), zip(*made, strict=True), strict=True
                )
            ]
        ).encode()

    def _heights(self, values: Sequence[Sequence[Any]]) -> list[str]:
        """What each row says of its height. Excel would find out itself; LibreOffice would not."""
        heights = [0] * len(values[0])
        for place, width in self._wrapped:
            for row, value in enumerate(values[place]):
                if isinstance(value, str) and (height := height_of(value, width)) > heights[row]:
                    heights[row] = height
        return [f' ht="{height}"' if height else "" for height in heights]
