"""Files that mean harm, and files that are merely broken: a sentence each, in bounded time and memory."""

import gzip
import io
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from django.utils.translation import override
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm.importing import sheet, xlsx_parts, xlsx_sheet
from crm.importing.guessing import ColumnMapping
from crm.importing.kinds import KINDS
from crm.importing.rows import in_batches
from crm.importing.service import guess, open_upload
from crm.importing.table import BrokenFileError
from tests.importing.files import sheet_of, with_parts, with_shared_strings, with_sheet, workbook

MB = 1024 * 1024


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def read(content: bytes) -> int:
    """Look at the file, guess, and read it all: the number of rows. Raises BrokenFileError alone."""
    upload = open_upload(io.BytesIO(content))
    for kind in KINDS:
        mapping = guess(kind, upload)
        assert isinstance(mapping, ColumnMapping)
        assert len(mapping.fields) == len(upload.header)
    return upload.count_rows()


def refused(content: bytes, match: str, *, seconds: float = 5, megabytes: float = 60) -> None:
    """Refused with that sentence, quickly and without much memory."""
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(BrokenFileError, match=match):
            read(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < seconds * 4  # the tracer slows everything down
    assert peak < megabytes * MB


def stated(content: bytes, part: str, size: int) -> bytes:
    """The archive with another size stated for a part, in its directory."""
    name = part.encode()
    at = content.rindex(name) - 46
    return content[: at + 24] + struct.pack("<I", size) + content[at + 28 :]


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<worksheet><sheetData><row><c t='inlineStr'><is><t>&b;</t></is></c></row></sheetData></worksheet>"
)


def test_billion_laughs() -> None:
    refused(with_sheet(LAUGHS), "XLSX")
    for part in ("xl/workbook.xml", "xl/styles.xml", "_rels/.rels"):
        refused(with_parts(workbook(["address"]), {part: LAUGHS}), "XLSX")


def test_an_external_entity_is_not_fetched() -> None:
    xml = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'
    refused(with_sheet(xml), "XLSX")


def test_a_bomb_is_refused_by_its_stated_size() -> None:
    bomb = with_parts(workbook(["address"]), {"xl/worksheets/sheet2.xml": bytes(513 * MB)})
    assert len(bomb) < MB
    refused(bomb, "too large")


def test_a_bomb_that_lies_about_its_size_is_not_unpacked() -> None:
    rows = "<row><c><v>1</v></c></row>" * 200_000
    content = stated(with_sheet(sheet_of(rows)), "xl/worksheets/sheet1.xml", 100)
    refused(content, "XLSX")


def test_strings_and_styles_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_parts, "_MOST_STRINGS", 100_000)
    refused(with_shared_strings("<si><t/></si>" * 3_000_000, ""), "too large")
    refused(with_shared_strings("<si/>" * 100_001, ""), "XLSX")
    styles = "<styleSheet><cellXfs>" + "<xf/>" * 1_000_000 + "</cellXfs></styleSheet>"
    refused(with_parts(workbook(["address"]), {"xl/styles.xml": styles}), "XLSX")


def test_a_million_columns() -> None:
    refused(
        with_sheet(sheet_of("<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>")), "too many columns"
    )
    refused(with_sheet(sheet_of("<row>" + "<c/>" * 1_000_000 + "</row>")), "too many columns")
    refused(with_sheet(sheet_of('<row><c r="ZZZZZZZZ1"><v>1</v></c></row>')), "too many columns")
    refused((b"a;" * 100_000) + b"\n" + b"1;" * 100_000, "too many columns")
    refused(b"a;" * 3_000_000, "longer than any row")


def test_millions_of_empty_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_sheet, "_MOST_IDLE", 100_000)
    refused(with_sheet(sheet_of("<row/>" * 100_001)), "XLSX")


def test_a_row_far_down_costs_nothing() -> None:
    assert (
        read(
            with_sheet(
                sheet_of('<row r="1"><c><v>1</v></c></row><row r="1048576"><c><v>2</v></c></row>')
            )
        )
        == 1
    )
    refused(with_sheet(sheet_of('<row r="99999999999"><c><v>1</v></c></row>')), "XLSX")


def test_a_tag_without_end_takes_no_time() -> None:
    """expat before 2.6 would read it anew with each piece: hours for 100 MB."""
    refused(with_sheet("<worksheet><sheetData " + "x" * (30 * MB)), "XLSX")
    refused(with_sheet('<worksheet><sheetData a="' + "x" * (30 * MB)), "XLSX")


def test_names_without_number() -> None:
    refused(with_sheet(sheet_of("".join(f"<n{n}/>" for n in range(5000)))), "XLSX")


def test_a_cell_without_end() -> None:
    text = "x" * (3 * MB)
    refused(
        with_sheet(sheet_of(f"<row><c t='inlineStr'><is><t>{text}</t></is></c></row>")), "too long"
    )
    shared = with_shared_strings(f"<si><t>{text}</t></si>", "<row><c t='s'><v>0</v></c></row>")
    refused(shared, "too long")
    refused(b"a;b\n" + b'"' + b"x" * MB + b'"', "not a table")


def test_monstrous_rows_are_held_a_few_at_a_time() -> None:
    row = ";".join(["ы" * 30_000] * 20).encode() + b"\n"
    content = gzip.compress(b";".join([b"a"] * 20) + b"\n" + row * 30)
    tracemalloc.start()
    try:
        upload = open_upload(io.BytesIO(content))
        batches = [len(batch) for batch in in_batches(upload.table().rows, 250)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(batches) == 30
    assert max(batches) < 5
    assert peak < 40 * MB


def test_a_line_without_end() -> None:
    refused(b"a" * (20 * MB), "longer than any row")
    refused(b"a,b\n" + b'"\n\n",' * (2 * MB), "longer than any row")


def test_a_packed_text_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    from crm.importing import encodings

    monkeypatch.setattr(encodings, "MAX_BYTES", 20 * MB)
    refused(gzip.compress(b"address\n" + b"a\n" * (15 * MB)), "too large")
    refused(gzip.compress(b"\xff\xfe" + b"a\x00" * (15 * MB)), "too large")


def test_an_archive_with_a_directory_without_end() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(30_000):
            archive.writestr(f"xl/{n}.xml", b"")
    refused(out.getvalue(), "XLSX")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(3000):
            archive.writestr(f"{n}", b"")
    refused(out.getvalue(), "too large")


def test_other_compressions_are_refused() -> None:
    """LZMA lets the file choose how much memory it takes."""
    refused(with_parts(workbook(["address"]), {}, compression=zipfile.ZIP_LZMA), "XLSX")


def test_an_encrypted_archive_and_workbook() -> None:
    content = workbook(["address"])
    at = content.rindex(b"xl/worksheets/sheet1.xml") - 46
    locked = content[: at + 8] + b"\x01" + content[at + 9 :]
    refused(locked, "password")
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100_000)
    refused(ole + "EncryptedPackage".encode("utf-16-le") + bytes(1000), "password")
    refused(ole, r"\.xls")


OTHERS = {
    "xlsb": (lambda: with_parts(b"", {"xl/workbook.bin": b"x"}), "xlsb"),
    "ods": (lambda: with_parts(b"", {"mimetype": "x", "content.xml": "<x/>"}), "ods"),
    "docx": (lambda: with_parts(b"", {"word/document.xml": "<x/>"}), "XLSX"),
    "html": (lambda: b"\xef\xbb\xbf \n<html><table><tr><td>address</td></tr></table>", "web page"),
    "pdf": (lambda: b"%PDF-1.4\n\x00\xff\xfe", "not text"),
    "nothing": (lambda: b"", "empty"),
    "blanks": (lambda: b" \n\t\n;;;\n", "empty"),
    "empty workbook": (workbook, "empty"),
    "path out of the archive": (
        lambda: with_parts(
            workbook(["address"]),
            {
                "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Type="x/worksheet"'
                ' Target="../../../../etc/passwd"/></Relationships>'
            },
        ),
        "XLSX",
    ),
}


@pytest.mark.parametrize(("made", "match"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_table_says_so(made: Callable[[], bytes], match: str) -> None:
    refused(made(), match)


def test_an_upload_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_UPLOAD", 10)
    with pytest.raises(BrokenFileError, match="larger than"):
        sheet.open_upload(io.BytesIO(b"x" * 11), max_bytes=10)


def test_a_text_with_the_name_of_a_workbook_is_read_as_text() -> None:
    assert read("Адрес;Тип\nМира 5;MKD\n".encode("cp1251")) == 1


# --- any bytes ------------------------------------------------------------------------------------

SOUND = with_shared_strings(
    "<si><t>Адрес</t></si><si><t>Телефон</t></si><si><r><t>Мира</t></r><r><t> 5</t></r></si>",
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" s="0"><v>79123456789</v></c></row>'
    '<row r="3"><c r="A3" t="str"><f>A2</f><v>Мира 5</v></c><c r="B3" t="b"><v>1</v></c></row>',
)


def survives(content: bytes) -> None:
    """Read, or refused with a sentence; any other exception is the test's failure."""
    with suppress(BrokenFileError):
        read(content)


@given(st.binary(max_size=2000))
@example(b"PK\x03\x04")
@example(b"\x1f\x8b\x08")
@example(b"\xff\xfe")
@example(b"\xff\xfe\x00\x00")
@example(b"\xef\xbb\xbf")
@example(b'"')
@example(b"\r")
@settings(max_examples=150, deadline=None)
def test_any_bytes(content: bytes) -> None:
    survives(content)


@given(st.text(max_size=500), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1251", "koi8-r"]))
@settings(max_examples=150, deadline=None)
def test_any_text(text: str, encoding: str) -> None:
    survives(text.encode(encoding, errors="ignore"))


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_workbook_with_damaged_bytes(damage: list[tuple[int, int]]) -> None:
    content = bytearray(SOUND)
    for at, value in damage:
        content[at] = value
    survives(bytes(content))


PARTS = [
    "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels",
    "_rels/.rels", "xl/sharedStrings.xml",
]  # fmt: skip


@given(st.sampled_from(PARTS), st.integers(0, 10_000), st.integers(0, 40), st.binary(max_size=40))
@settings(max_examples=150, deadline=None)
def test_a_workbook_with_damaged_xml(part: str, at: int, cut: int, put: bytes) -> None:
    """Damage inside a part, with a right checksum: the parsers get to see it."""
    with zipfile.ZipFile(io.BytesIO(SOUND)) as archive:
        xml = archive.read(part)
    at %= len(xml)
    survives(with_parts(SOUND, {part: xml[:at] + put + xml[at + cut :]}))


VALUE = st.text(alphabet="0123456789.-eEnaif ", max_size=12)


@given(VALUE, VALUE, st.sampled_from(["", "n", "s", "b", "e", "str", "inlineStr", "d", "x"]))
@settings(max_examples=150, deadline=None)
def test_any_cell(value: str, style: str, kind: str) -> None:
    cell = f'<c r="A1" t="{kind}" s="{style}"><v>{value}</v><is><t>{value}</t></is></c>'
    survives(with_sheet(sheet_of(f"<row>{cell}</row><row><c s='1'><v>{value}</v></c></row>")))
