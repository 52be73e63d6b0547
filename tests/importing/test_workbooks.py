"""What people do in spreadsheets: dates, formulas, merged cells, sheets."""

import io
from contextlib import suppress
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook

from crm.importing.reading import open_records
from crm.importing.service import open_upload
from crm.importing.table import BrokenFileError, Row
from tests.importing.files import (
    NAMESPACE,
    saved,
    sheet_of,
    with_parts,
    with_shared_strings,
    with_sheet,
    workbook,
)


def rows(content: bytes) -> list[Row]:
    return list(open_records(io.BytesIO(content)).rows)


def cells(*values: object) -> list[str]:
    return rows(workbook(values))[0].cells


def test_numbers_are_what_a_person_sees() -> None:
    assert cells(79123456789.0, 5, 5.5, -0.25, 1e20, "007") == [
        "79123456789", "5", "5.5", "-0.25", "1e+20", "007",
    ]  # fmt: skip


def test_moments_are_iso() -> None:
    assert cells(date(2025, 1, 31), datetime.fromisoformat("2025-01-31T18:30"), time(18, 30)) == [
        "2025-01-31", "2025-01-31T18:30:00", "18:30:00",
    ]  # fmt: skip
    assert cells(timedelta(hours=26, minutes=5)) == ["26:05"]


def test_shared_strings() -> None:
    strings = "<si><t>Адрес</t></si><si><r><t>Мира</t></r><r><t> 5</t></r><rPh><t>noise</t></rPh></si><si/>"
    row = "".join(f'<c t="s"><v>{at}</v></c>' for at in (1, 2, 0))
    assert rows(with_shared_strings(strings, f"<row>{row}</row>")) == [
        Row(1, ["Мира 5", "", "Адрес"])
    ]
    for wrong in ("3", "-1", "x"):
        content = with_shared_strings(strings, f'<row><c t="s"><v>{wrong}</v></c></row>')
        with suppress(BrokenFileError):
            assert rows(content) == []


def test_booleans_and_errors() -> None:
    assert cells(True, False, "#N/A") == ["True", "False", "#N/A"]


def test_a_formula_is_its_last_value_and_never_evaluated() -> None:
    row = '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>A1&amp;"x"</f><v>2x</v></c>'
    assert rows(with_sheet(sheet_of(f'{row}<c r="C1"><f>HYPERLINK("http://x")</f></c></row>'))) == [
        Row(1, ["2", "2x"])
    ]


def test_a_cell_merged_downwards_counts_for_each_of_its_rows() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (
        ["Адрес", "Контакт", None],
        [None, "ФИО", "Телефон"],
        ["Мира 5", "Иван", "1"],
        [None, "Анна", "2"],
        [None, None, None],
        [None, "Ян", None],
    ):
        sheet.append(row)
    for merged in ("A1:A2", "B1:C1", "A3:A5"):
        sheet.merge_cells(merged)
    assert rows(saved(book)) == [
        Row(1, ["Адрес", "Контакт"]),
        Row(2, ["Адрес", "ФИО", "Телефон"]),
        Row(3, ["Мира 5", "Иван", "1"]),
        Row(4, ["Мира 5", "Анна", "2"]),
        Row(6, ["", "Ян"]),
    ]


def test_rich_text_escapes_and_reading_aids() -> None:
    text = "<is><r><t>Ми</t></r><r><t>ра_x000A_5_x0000__xD800_</t></r><rPh><t>noise</t></rPh></is>"
    row = f'<row r="7"><c t="inlineStr">{text}</c><c r="D7" t="inlineStr"><is><t> x </t></is></c></row>'
    assert rows(with_sheet(sheet_of(row))) == [Row(7, ["Мира\n5", "", "", "x"])]


def test_prefixed_names_and_rows_without_references() -> None:
    xml = (
        f'<x:worksheet xmlns:x="{NAMESPACE}"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c><x:c/>'
        "<x:c><x:v>3</x:v></x:c></x:row><x:row/><x:row><x:c><x:v>4</x:v></x:c></x:row>"
        "</x:sheetData></x:worksheet>"
    )
    assert rows(with_sheet(xml)) == [Row(1, ["1", "", "3"]), Row(3, ["4"])]


def test_hidden_sheets_are_passed_over_and_any_can_be_chosen() -> None:
    book = Workbook()
    book.worksheets[0].title, book.worksheets[0].sheet_state = "Служебный", "hidden"
    book.worksheets[0].append(["secret"])
    book.create_sheet("Дома").append(["address"])
    file = io.BytesIO(saved(book))
    upload = open_upload(file)
    assert (upload.header, upload.sheets) == (["address"], ["Служебный", "Дома"])
    assert open_upload(file, sheet="Служебный").header == ["secret"]
    with pytest.raises(BrokenFileError):
        open_upload(file, sheet="Нет такого")


def test_a_formatted_empty_column_is_none_and_a_filled_one_beyond_the_header_is() -> None:
    content = workbook(["Адрес", "Тип", None], ["Мира 5", "MKD", "без заголовка"])
    upload = open_upload(io.BytesIO(content))
    assert upload.header == ["Адрес", "Тип", ""]
    assert [row.cells for row in upload.table().rows] == [["Мира 5", "MKD", "без заголовка"]]


def test_pictures_do_not_count_as_what_is_read() -> None:
    content = with_parts(workbook(["address"]), {"xl/media/image1.png": bytes(40 * 1024 * 1024)})
    assert rows(content) == [Row(1, ["address"])]
