"""Files that an import must survive: broken, hostile, or merely odd. Each is made when it is asked for."""

import gzip
import io
import itertools
import warnings
import zipfile
from collections.abc import Callable
from typing import Final

from openpyxl import Workbook

from tests.importing.files import (
    saved,
    sheet_of,
    with_parts,
    with_shared_strings,
    with_sheet,
    workbook,
)

MB: Final = 1024 * 1024
SHEET: Final = "xl/worksheets/sheet1.xml"
HEAD: Final = "Адрес;Город;ФИО;Телефон;Кв.\n"
ROW: Final = "ул. Мира, д. {0};Москва;Мария {0};8999{0:07d};{0}\n"
DTD: Final = '<?xml version="1.0"?><!DOCTYPE x [{entities}]>'
CELLS: Final = '<row r="1"><c r="A1" t="inlineStr"><is><t>Адрес</t></is></c></row>'


def table(rows: int) -> str:
    """A sound table as text."""
    return HEAD + "".join(ROW.format(n) for n in range(1, rows + 1))


def book(rows: int) -> bytes:
    """A sound table as a workbook."""
    lines = [line.split(";") for line in table(rows).splitlines()]
    return workbook(*lines)


def sheet_with(cell: str, *, around: str = "") -> bytes:
    """A workbook with one odd cell below its heading."""
    xml = sheet_of(f'{CELLS}<row r="2">{cell}</row>')
    return with_sheet(xml.replace("<sheetData>", f"{around}<sheetData>"))


def laughs(part: str) -> bytes:
    """Ten levels of entities, each ten of the one before: ten thousand million of them."""
    names = "abcdefghij"
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(names)
    )
    xml = DTD.format(entities=entities) + f"<x>&{names[-1]};</x>"
    return with_parts(book(2), {part: xml})


def external(part: str, target: str) -> bytes:
    """An entity that lives in another file."""
    xml = DTD.format(entities=f'<!ENTITY a SYSTEM "{target}">') + "<x>&a;</x>"
    return with_parts(book(2), {part: xml})


def without(part: str) -> bytes:
    """A workbook that lacks one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(2))) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            if name != part:
                target.writestr(name, source.read(name))
    return out.getvalue()


def related(target: str) -> bytes:
    """A workbook whose relations all lead to one part."""
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="x/relationships/{kind}" Target="{target}"/>'
        for n, kind in enumerate(["worksheet", "sharedStrings", "styles", "worksheet"], 1)
    )
    xml = f'<Relationships xmlns="x">{relations}</Relationships>'
    return with_parts(book(2), {"xl/_rels/workbook.xml.rels": xml})


def merged() -> bytes:
    """Cells that are one, over the heading, over everything, and over each other."""
    made = Workbook()
    page = made.worksheets[0]
    page.append(["Адрес", "Город"])
    page.append(["ул. Мира, д. 1", "Москва"])
    for cells in ("A1:B1", "A2:A9"):
        page.merge_cells(cells)
    content = saved(made)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read(SHEET).decode()
    return with_parts(content, {SHEET: xml.replace("A2:A9", "A1:XFD1048576")})


def dated() -> bytes:
    """A column of dates far outside of the calendar, in a date's format."""
    made = Workbook()
    page = made.worksheets[0]
    page.append(["Адрес", "Город", "ФИО"])
    for number in (1e10, -1.0, 2958466.0, 60.0, 1e300, 0.0, -1e9):
        page.append(["ул. Мира, д. 1", "Москва", number])
        page.cell(page.max_row, 3).number_format = "yyyy-mm-dd hh:mm"
    return saved(made)


# Content that fits into memory without a thought; the largest are a few megabytes.
FILES: Final[dict[str, Callable[[], bytes]]] = {
    "sound csv": lambda: table(3).encode(),
    "sound xlsx": lambda: book(3),
    "empty": lambda: b"",
    "one byte": lambda: b"\xff",
    "headings alone": HEAD.encode,
    "cp1251": lambda: table(3).encode("cp1251"),
    "utf-16": lambda: table(3).encode("utf-16"),
    "utf-16 without a mark": lambda: table(3).encode("utf-16-le"),
    "utf-16 with half a letter": lambda: table(3).encode("utf-16") + b"\x00",
    "utf-16 with half a pair": lambda: table(3).encode("utf-16") + b"\x00\xd8a\x00",
    "utf-32": lambda: table(3).encode("utf-32"),
    "koi8": lambda: table(3).encode("koi8-r"),
    "cp866": lambda: table(3).encode("cp866"),
    "utf-8 broken at the end": lambda: table(300).encode() + b"\xd0",
    "utf-8 broken in the middle": lambda: table(300).encode() + b"\xff\xfe" + table(300).encode(),
    "nul": lambda: table(3).replace("Мария", "Мария\x00").encode(),
    "nul at the end": lambda: table(300).encode() + b"\x00",
    "control characters": lambda: table(3).replace("Мария", "\x01\x02\x1b\x7f\u202e\ufeff").encode(),
    "an open quote": (table(3) + '"ул. Мира').encode,
    "quotes everywhere": (HEAD + '"a""b"c;"";""";\n' * 50).encode,
    "line ends of all kinds": lambda: table(9).replace("\n", "\r").encode() + table(9).replace("\n", "\r\n").encode(),
    "lines without cells": (HEAD + "\n" * 50_000 + ";;;;\n" * 50_000).encode,
    "more cells than headings": (HEAD + "a;" * 150 + "\n").encode,
    "headings without end": (";".join(f"к{n}" for n in range(5000)) + "\n" + table(3)).encode,
    "the same heading often": (";".join(["Адрес"] * 100) + "\n" + "x;" * 100).encode,
    "a million columns": lambda: b"a;" * 900_000 + b"\n" + table(3).encode(),
    "a long cell": (HEAD + "ы" * 40_000 + ";Москва;;;\n").encode,
    "formulas": (
        HEAD + "=1+1;=cmd|' /C calc'!A0;@SUM(1);+79991234567;-5\n\t=1;\r=1;=HYPERLINK(\"http://x\");0;0\n"
    ).encode,
    "markup": (HEAD + "<script>alert(1)</script>;{{7*7}};{% now %};%(x)s;%n\n").encode,
    "sql": (HEAD + "x'; DROP TABLE objects_object;--;Москва';\\;%;_\n").encode,
    "numbers and dates": (HEAD + "1e999;NaN;Infinity;9999-99-99;-1\n" + "٣;²;1_0;0x1;1e5\n").encode,
    "a path": lambda: b"../../etc/passwd\n../../etc/passwd\n",
    "gzip": lambda: gzip.compress(table(3).encode()),
    "gzip in gzip": lambda: gzip.compress(gzip.compress(table(3).encode())),
    "gzip cut": lambda: gzip.compress(table(3000).encode())[:-20],
    "gzip with a wrong sum": lambda: gzip.compress(table(3).encode())[:-8] + b"\x00" * 8,
    "gzip of nothing": lambda: gzip.compress(b""),
    "gzip bomb": lambda: gzip.compress(HEAD.encode() + b"\n" * (600 * MB), 1),
    "gzip of a line without end": lambda: gzip.compress(b"a" * (200 * MB), 1),
    "zip of a csv": lambda: with_parts(b"", {"a.csv": table(3)}),
    "zip bomb": lambda: with_parts(book(2), {SHEET: b" " * (600 * MB)}, compression=zipfile.ZIP_DEFLATED),
    "zip in zip": lambda: with_parts(b"", {"xl/workbook.xml": book(2)}),
    "zip cut": lambda: book(50)[:-100],
    "zip cut in half": lambda: book(50)[: len(book(50)) // 2],
    "zip of nothing": lambda: b"PK\x05\x06" + bytes(18),
    "zip with one name often": lambda: twice(SHEET),
    "zip with names that lead out": lambda: with_parts(book(2), {"../../../tmp/x": "x", "/etc/passwd": "x"}),
    "no workbook part": lambda: without("xl/workbook.xml"),
    "no relations": lambda: without("xl/_rels/workbook.xml.rels"),
    "no sheet": lambda: without(SHEET),
    "no styles": lambda: without("xl/styles.xml"),
    "no content types": lambda: without("[Content_Types].xml"),
    "relations to the workbook": lambda: related("workbook.xml"),
    "relations to themselves": lambda: related("_rels/workbook.xml.rels"),
    "relations to nowhere": lambda: related("http://127.0.0.1:1/x.xml"),
    "relations out of the archive": lambda: related("../../../../../etc/passwd"),
    "laughs in the sheet": lambda: laughs(SHEET),
    "laughs in the workbook": lambda: laughs("xl/workbook.xml"),
    "laughs in the styles": lambda: laughs("xl/styles.xml"),
    "laughs in the relations": lambda: laughs("xl/_rels/workbook.xml.rels"),
    "a foreign file in the sheet": lambda: external(SHEET, "file:///etc/passwd"),
    "a foreign address in the workbook": lambda: external("xl/workbook.xml", "http://127.0.0.1:1/x"),
    "xml broken off": lambda: with_sheet(sheet_of(CELLS)[:-30]),
    "xml nested without end": lambda: with_sheet("<a>" * 300_000),
    "xml in utf-16": lambda: with_sheet(sheet_of(CELLS).encode("utf-16")),
    "xml in a strange encoding": lambda: with_sheet(b'<?xml version="1.0" encoding="rot13"?><worksheet/>'),
    "strings beyond the list": lambda: with_shared_strings("<si><t>Адрес</t></si>", '<row><c t="s"><v>0</v></c></row><row><c t="s"><v>99999</v></c></row>'),
    "strings before the list": lambda: with_shared_strings("<si><t>Адрес</t></si>", '<row><c t="s"><v>0</v></c></row><row><c t="s"><v>-1</v></c></row>'),
    "strings of themselves": lambda: with_shared_strings("<si><si><t>Адрес</t></si></si>" * 99, '<row><c t="s"><v>0</v></c></row>'),
    "strings by no number": lambda: with_shared_strings("<si><t>Адрес</t></si>", '<row><c t="s"><v>0</v></c></row><row><c t="s"><v>1e9</v></c></row>'),
    "a million rows by its own word": lambda: sheet_with("<c><v>1</v></c>", around='<dimension ref="A1:XFD1048576"/>'),
    "a dimension of nonsense": lambda: sheet_with("<c><v>1</v></c>", around='<dimension ref="ZZZ99999999999:A1"/>'),
    "columns of nonsense": lambda: sheet_with('<c r="ÿ0"><v>1</v></c><c r="XFE1"><v>1</v></c>', around='<cols><col min="1" max="2147483647"/></cols>'),
    "rows backwards": lambda: with_sheet(sheet_of('<row r="9"><c><v>1</v></c></row><row r="2"><c><v>2</v></c></row><row r="2"><c><v>3</v></c></row>')),
    "numbers of nonsense": lambda: sheet_with('<c><v>1e999</v></c><c><v>NaN</v></c><c t="b"><v>7</v></c><c t="d"><v>x</v></c>'),
    "formulas in cells": lambda: workbook(["Адрес", "Город"], ["=1+1", "=HYPERLINK(\"http://x\",\"x\")"], ["=WEBSERVICE(\"http://127.0.0.1:1\")", "=A2"]),
    "a formula for a whole column": lambda: sheet_with('<c><f t="array" ref="A1:XFD1048576">A1</f><v>1</v></c>'),
    "merged": merged,
    "dates out of range": dated,
    "a million columns in a sheet": lambda: with_sheet(sheet_of("<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>")),
    "a long name of a sheet": lambda: with_parts(book(2), {"xl/workbook.xml": '<workbook xmlns:r="x"><sheets><sheet name="' + "я" * 100_000 + '" sheetId="1" r:id="rId1"/></sheets></workbook>'}),
    "a thousand sheets": lambda: with_parts(book(2), {"xl/workbook.xml": '<workbook xmlns:r="x"><sheets>' + "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1000)) + "</sheets></workbook>"}),
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(1000),
    "a page": lambda: b"<html><body>login</body></html>",
    "json": lambda: b'[{"address": "x"}]',
}  # fmt: skip


def twice(name: str) -> bytes:
    """An archive with two parts of one name."""
    content = io.BytesIO(book(2))
    with warnings.catch_warnings(), zipfile.ZipFile(content, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, "<worksheet/>")
    return content.getvalue()


# Too large to hold: what a megabyte of them is.
LARGE: Final[dict[str, Callable[[int], bytes]]] = {
    "a line of 200 MB": lambda size: b"a" * size,
    "a line of 200 MB of cells": lambda size: b"a;" * (size // 2),
    "200 MB of quotes": lambda size: b'"\n' * (size // 2),
    "200 MB of empty lines": lambda size: b"\n" * size,
}
