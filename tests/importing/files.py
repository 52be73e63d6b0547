"""Files for imports, sound and broken."""

import io
import zipfile
from collections.abc import Mapping, Sequence

from openpyxl import Workbook

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(*rows: Sequence[object]) -> bytes:
    """An XLSX file with one sheet."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    """A workbook's bytes."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_parts(
    content: bytes, parts: Mapping[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """The workbook (b"": none) with some of its parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as target:
        if content:
            with zipfile.ZipFile(io.BytesIO(content)) as source:
                for name in source.namelist():
                    if name not in parts:
                        target.writestr(name, source.read(name))
        for name, part in parts.items():
            target.writestr(name, part)
    return out.getvalue()


def sheet_of(rows: str) -> str:
    """A sheet's XML around its rows."""
    return f'<?xml version="1.0"?><worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>'


def with_sheet(xml: bytes | str) -> bytes:
    """A workbook whose only sheet has this XML."""
    return with_parts(workbook(["address"]), {"xl/worksheets/sheet1.xml": xml})


def with_shared_strings(strings: str, rows: str) -> bytes:
    """A workbook as Excel writes it: the texts in a part of their own."""
    content = workbook(["address"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        relations = archive.read("xl/_rels/workbook.xml.rels").decode()
    kind = "http://x/relationships/sharedStrings"
    shared = f'<Relationship Id="rId99" Type="{kind}" Target="sharedStrings.xml"/>'
    return with_parts(
        content,
        {
            "xl/_rels/workbook.xml.rels": relations.replace(
                "</Relationships>", f"{shared}</Relationships>"
            ),
            "xl/sharedStrings.xml": f'<sst xmlns="{NAMESPACE}">{strings}</sst>',
            "xl/worksheets/sheet1.xml": sheet_of(rows),
        },
    )
