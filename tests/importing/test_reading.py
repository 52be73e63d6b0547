"""What files an import can read, and which it refuses as a whole."""

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence

import pytest
from django.utils.translation import override
from openpyxl import Workbook

from crm.importing import encodings, table, xlsx
from crm.importing.reading import open_table
from crm.importing.table import BrokenFileError, Row
from objects.importing.columns import Field, find_columns, parse_mapping

TEXT = "адрес;тип\r\nул. Ёлочная, 5;MKD\r\n\r\n«Кафе №1», Мира 7;CAFE\r\n"
ROWS = [Row(2, ["ул. Ёлочная, 5", "MKD"]), Row(4, ["«Кафе №1», Мира 7", "CAFE"])]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def read(content: bytes) -> tuple[list[str], list[Row]]:
    found = open_table(io.BytesIO(content))
    return found.header, list(found.rows)


def workbook(*rows: Sequence[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_encodings_plain_and_packed(encoding: str, pack: type[bytes]) -> None:
    assert read(pack(TEXT.encode(encoding))) == (["адрес", "тип"], ROWS)


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_header_tells_the_delimiter(delimiter: str) -> None:
    header, rows = read(f'address{delimiter}"a;b,c"\n"Мира, 5"{delimiter}x\n'.encode())
    assert header == ["address", "a;b,c"]
    assert rows == [Row(2, ["Мира, 5", "x"])]


def test_lines_are_those_of_the_file_after_a_cell_with_line_breaks() -> None:
    _, rows = read('address;note\n"Мира\n5";x\nМира 6;y\n'.encode())
    assert [row.line for row in rows] == [2, 4]


def test_xlsx_numbers_dates_and_ragged_rows() -> None:
    content = workbook(
        ["address", "phone", "note"], ["Мира 5", 79991234567.0], [], ["Мира 6", None, 5.5]
    )
    header, rows = read(content)
    assert header == ["address", "phone", "note"]
    assert rows == [Row(2, ["Мира 5", "79991234567", ""]), Row(4, ["Мира 6", "", "5.5"])]


PACKED = gzip.compress(TEXT.encode() * 500)
BROKEN = {
    "empty": b"",
    "blank": b"\n\n",
    "truncated archive": PACKED[: len(PACKED) - 20],
    "damaged archive": PACKED[:60] + b"\x00\xff\x00" + PACKED[63:],
    "NUL bytes": b"address\nMira 5\x00\n",
    "utf-16 without a mark": TEXT.encode("utf-16-le"),
    "utf-16 with half a letter": TEXT.encode("utf-16")[:-1],
    "utf-16 with NUL": "address\nMira\x00 5\n".encode("utf-16"),
    "a byte that Windows-1251 does not know": ("ул. Мира" * 50).encode("cp1251") + b"\x98\n",
    "utf-8 with one broken byte": (TEXT * 20).encode() + "ул. Мир".encode()[:-1] + b"\n",
    "koi8-r": TEXT.replace("Ё", "Е")
    .replace("«", "")
    .replace("»", "")
    .replace("№", "")
    .encode("koi8-r"),
    "cp866": TEXT.replace("«", "").replace("»", "").encode("cp866"),
    "open quote": b'address;type\n"Mira 5;MKD\nMira 6;MKD\n',
    "no xlsx": b"PK\x03\x04" + b"nonsense" * 20,
    "old excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "image": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(BrokenFileError, match=r"\w.*\.$"):
        read(content)


def test_damaged_utf8_is_told_from_a_wrong_encoding() -> None:
    with override("en"), pytest.raises(BrokenFileError, match="not valid UTF-8"):
        read(BROKEN["utf-8 with one broken byte"])


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(BrokenFileError, match="XLSX"):
        read(out.getvalue())


def test_a_truncated_workbook_is_refused() -> None:
    content = workbook(["address"], *([f"Мира {n}"] for n in range(500)))
    with pytest.raises(BrokenFileError, match="XLSX"):
        read(content[: len(content) // 2])


def test_bombs_are_refused_before_they_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "MAX_BYTES", 100_000)
    monkeypatch.setattr(xlsx, "MAX_BYTES", 100_000)
    with pytest.raises(BrokenFileError, match="too large"):
        read(gzip.compress(b"address\n" + b"a" * 200_000))
    with pytest.raises(BrokenFileError, match="too large"):
        read(workbook(["address"], *(["x" * 100] for _ in range(3000))))


def test_an_entity_bomb_in_a_workbook_is_refused() -> None:
    sheet = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    content, out = io.BytesIO(workbook(["address"], ["Мира 5"])), io.BytesIO()
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(out, "w") as target:
        for part in source.namelist():
            target.writestr(part, sheet if part.endswith("sheet1.xml") else source.read(part))
    with pytest.raises(BrokenFileError, match="XLSX"):
        read(out.getvalue())


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from crm.importing import reading

    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    monkeypatch.setattr(xlsx, "MAX_ROWS", 2)
    assert len(read(b"address\nMira 1\nMira 2\n")[1]) == 2
    with pytest.raises(BrokenFileError, match="rows"):
        read(b"address\nMira 1\nMira 2\nMira 3\n")
    with pytest.raises(BrokenFileError, match="rows"):
        read(workbook(["address"], ["Mira 1"], ["Mira 2"], ["Mira 3"]))


def test_columns_by_russian_and_english_names() -> None:
    columns = find_columns(["Адрес", "ТИП", "city_id", "Телефон ", "junk"], {})
    assert columns.positions == {
        Field.ADDRESS: 0, Field.TYPE: 1, Field.CITY_ID: 2, Field.CONTACT_PHONE: 3,
    }  # fmt: skip


def test_a_mapped_column_goes_before_a_usual_name() -> None:
    mapping = parse_mapping("address=ADDRESS, gps_lat=LAT")
    columns = find_columns(["LAT", "широта", "ADDRESS"], mapping)
    assert columns.positions == {Field.ADDRESS: 2, Field.GPS_LAT: 0}


def test_registers_words_for_nothing_are_nothing() -> None:
    columns = find_columns(["address", "тип", "статус"], {})
    assert columns.values([" Мира  5 ", "Не заполнено", "—"]) == {Field.ADDRESS: "Мира 5"}


@pytest.mark.parametrize(
    ("header", "mapping"),
    [
        (["name", "type"], ""),
        (["address", "адрес"], ""),
        (["address"], "gps_lat=LAT"),
        (["LAT", "LAT", "address"], "gps_lat=LAT"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(header: list[str], mapping: str) -> None:
    with pytest.raises(BrokenFileError):
        find_columns(header, parse_mapping(mapping))


@pytest.mark.parametrize("text", ["address", "address=", "colour=RED", "address=A,address=B"])
def test_a_mapping_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(BrokenFileError):
        parse_mapping(text)


def test_the_callers_file_stays_open() -> None:
    file = io.BytesIO(TEXT.encode())
    found = open_table(file)
    assert len(list(found.rows)) == 2
    del found
    assert not file.closed
    assert table.MAX_ROWS >= 33_000
