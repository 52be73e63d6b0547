"""Report files as a whole: what they promise whatever their format, and workbooks as openpyxl reads them."""

import io
import resource
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from reports import writers
from reports.columns import Column, Kind
from reports.writers import batches, strings, xlsx
from reports.writers.package import sheet_name
from reports.writers.styles import width_of

FORMATS = pytest.mark.parametrize("format_", writers.FORMATS)


def column(kind: Kind, label: str = "") -> Column:
    return Column(key=f"the_{kind}", label=label or f"Его {kind}", kind=kind, path="id")


def write(path: Path, rows: Iterable[Sequence[Any]], kinds: Sequence[Kind], **told: Any) -> int:
    told = {
        "format": "xlsx",
        "title": "Объекты",
        "language": "ru",
        "raw": False,
        "progress": lambda _rows: None,
        **told,
    }
    return writers.write(path, columns=[column(kind) for kind in kinds], rows=rows, **told)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report"


def read(path: Path) -> Any:
    return load_workbook(io.BytesIO(path.read_bytes()))


# --- whatever the format --------------------------------------------------------------------------


@FORMATS
@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1203])
def test_every_row_is_written_and_told(path: Path, format_: str, count: int) -> None:
    told: list[int] = []
    rows = ([number] for number in range(count))
    done = write(path, rows, [Kind.NUMBER], format=format_, progress=told.append)
    assert done == told[-1] == count
    if format_ == "xlsx":
        found = [row[0] for row in read(path).active.iter_rows(min_row=2, values_only=True)]
    else:
        found = [int(line) for line in path.read_text(encoding="utf-8-sig").split()[2:]]
    assert found == list(range(count))


@FORMATS
def test_progress_is_told_while_rows_come_slowly(path: Path, format_: str) -> None:
    told: list[tuple[float, int]] = []

    def slow() -> Iterator[list[int]]:
        for number in range(30):
            time.sleep(0.03)
            yield [number]

    begun = time.monotonic()
    write(
        path, slow(), [Kind.NUMBER], format=format_,
        progress=lambda rows: told.append((time.monotonic() - begun, rows)),
    )  # fmt: skip
    assert len(told) >= 3
    assert told[0][0] < 0.5
    assert batches.INTERVAL < 0.3


class Stopped(BaseException):
    """Not even an Exception: what ends a worker is none either."""


@FORMATS
def test_progress_stops_it_and_nothing_is_left(
    path: Path, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "INTERVAL", 0)
    closed = []

    def endless() -> Iterator[list[str]]:
        try:
            while True:
                yield ["x"]
        finally:
            closed.append(True)

    def stop(rows: int) -> None:
        if rows > 1000:
            raise Stopped

    with pytest.raises(Stopped):
        write(path, endless(), [Kind.TEXT], format=format_, progress=stop)
    assert list(path.parent.iterdir()) == []
    assert closed == [True]


@FORMATS
@pytest.mark.parametrize("after", [0, 1, 5000])
def test_an_error_of_the_rows_is_raised_and_nothing_is_left(
    path: Path, format_: str, after: int
) -> None:
    def failing() -> Iterator[list[str]]:
        for number in range(after):
            yield [f"text {number}"]
        raise LookupError("the database went away")

    with pytest.raises(LookupError, match="went away"):
        write(path, failing(), [Kind.TEXT], format=format_)
    assert list(path.parent.iterdir()) == []


@FORMATS
def test_a_full_disk_is_raised_and_nothing_is_left(path: Path, format_: str) -> None:
    """A limit on a file's size is as good as a disk that is full: the write fails with OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    rows = ([str(number) * 50] for number in range(200_000))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write(path, rows, [Kind.TEXT], format=format_)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(path.parent.iterdir()) == []


@FORMATS
def test_no_place_to_write_is_an_error(path: Path, format_: str) -> None:
    with pytest.raises(OSError, match="No such file"):
        write(path / "nowhere" / "report", iter([["x"]]), [Kind.TEXT], format=format_)


@FORMATS
def test_memory_does_not_grow_with_rows(path: Path, format_: str) -> None:
    kinds = [Kind.TEXT, Kind.CHOICE, Kind.PHONE, Kind.NUMBER]

    def peak(count: int) -> int:
        rows = ([f"ул. {n}", "Новый", f"+7{n:010}", n] for n in range(count))
        tracemalloc.start()
        write(path, rows, kinds, format=format_)
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(3000)
    assert peak(24_000) < 1.2 * peak(3000)


def test_an_unknown_format(path: Path) -> None:
    with pytest.raises(KeyError):
        write(path, iter([]), [Kind.TEXT], format="pdf")


# --- workbooks ------------------------------------------------------------------------------------

DAY, MOMENT = date(2026, 3, 2), datetime(2026, 3, 2, 0, 30, 15)  # noqa: DTZ001 - cells have no zone


@pytest.mark.parametrize(
    ("kind", "value", "type_"),
    [
        (Kind.TEXT, "=cmd|' /C calc'!A0", "s"),
        (Kind.TEXT, "+7 999", "s"),
        (Kind.TEXT, "-1", "s"),
        (Kind.TEXT, "@SUM(1)", "s"),
        (Kind.TEXT, "\t=1", "s"),
        (Kind.TEXT, "007", "s"),
        (Kind.TEXT, " по краям ", "s"),
        (Kind.TEXT, "ёлка 😀 & <b>", "s"),
        (Kind.TEXT, "https://example.com", "s"),
        (Kind.NOTE, "две\nстроки", "s"),
        (Kind.PHONE, "+79123456789", "s"),
        (Kind.ID, "0190b2c8-0000-7000-8000-000000000000", "s"),
        (Kind.NUMBER, 0, "n"),
        (Kind.NUMBER, -42, "n"),
        (Kind.MONEY, Decimal("550.50"), "n"),
        (Kind.DEGREES, -37.617312, "n"),
        (Kind.BOOLEAN, True, "b"),
        (Kind.BOOLEAN, False, "b"),
        (Kind.MOMENT, MOMENT, "d"),
        (Kind.DATE, DAY, "d"),
        (Kind.TEXT, None, "n"),
        # What a column does not promise is written as what it is.
        (Kind.NUMBER, "=1+1", "s"),
        (Kind.TEXT, 5, "n"),
    ],
)
def test_cells_keep_their_type(path: Path, kind: Kind, value: Any, type_: str) -> None:
    write(path, iter([[value]]), [kind])
    cell = read(path).active["A2"]
    assert cell.data_type == type_
    shown = cell.value.date() if kind is Kind.DATE else cell.value
    assert shown == (float(value) if isinstance(value, Decimal) else value)


def test_integers_have_no_point(path: Path) -> None:
    write(path, iter([[1], [10**14]]), [Kind.NUMBER])
    sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    assert "<v>1</v>" in sheet
    assert "<v>100000000000000</v>" in sheet


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (10**15, "1000000000000000"),
        (-(10**20), "-100000000000000000000"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (date(1899, 1, 1), "1899-01-01"),
        (datetime(1900, 2, 28, 12), "1900-02-28 12:00:00"),  # noqa: DTZ001
        ([1], "[1]"),
    ],
)
def test_what_excel_would_spoil_is_text(path: Path, value: Any, shown: str) -> None:
    write(path, iter([[1], [value]]), [Kind.NUMBER])
    cell = read(path).active["A3"]
    assert (cell.value, cell.data_type) == (shown, "s")


@pytest.mark.parametrize(
    ("language", "moment", "day"),
    [
        ("ru", "dd.mm.yyyy hh:mm", "dd.mm.yyyy"),
        ("en", "yyyy-mm-dd hh:mm", "yyyy-mm-dd"),
    ],
)
def test_formats(path: Path, language: str, moment: str, day: str) -> None:
    kinds = [Kind.MOMENT, Kind.DATE, Kind.NUMBER, Kind.MONEY, Kind.PHONE, Kind.TEXT]
    row = [MOMENT, DAY, 5, Decimal("1.50"), "+79123456789", "007"]
    write(path, iter([row]), kinds, language=language)
    sheet = read(path).active
    assert [cell.number_format for cell in sheet[2]] == [moment, day, "0", "#,##0.00", "@", "@"]
    assert [cell.is_date for cell in sheet[2]] == [True, True, False, False, False, False]


def test_what_a_person_sees(path: Path) -> None:
    kinds = [Kind.TEXT, Kind.MOMENT, Kind.NUMBER]
    write(path, iter([["ул. Тверская, д. 1, строение 2", MOMENT, n] for n in range(3)]), kinds)
    book = read(path)
    sheet = book.active
    assert book.sheetnames == ["Объекты"]
    assert [cell.value for cell in sheet[1]] == ["Его text", "Его moment", "Его number"]
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:C4"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"
    widths = [sheet.column_dimensions[letter].width for letter in "ABC"]
    assert widths[0] > 30
    assert 16 < widths[1] < 20
    assert 9 < widths[2] < 16


def test_raw_headers_are_keys(path: Path) -> None:
    write(path, iter([]), [Kind.TEXT, Kind.ID], raw=True)
    assert [cell.value for cell in read(path).active[1]] == ["the_text", "the_id"]
    assert read(path).active.auto_filter.ref == "A1:B1"


def test_more_rows_than_a_sheet_has_go_on_to_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert xlsx.MAX_ROWS == 2**20 - 1
    monkeypatch.setattr(xlsx, "MAX_ROWS", 700)
    told: list[int] = []
    rows = ([number, f"№ {number}"] for number in range(1500))
    assert write(path, rows, [Kind.NUMBER, Kind.TEXT], progress=told.append) == 1500
    book = read(path)
    assert book.sheetnames == ["Объекты", "Объекты 2", "Объекты 3"]
    assert [sheet.max_row for sheet in book] == [701, 701, 101]
    assert {tuple(cell.value for cell in sheet[1]) for sheet in book} == {
        ("Его number", "Его text")
    }
    assert {sheet.freeze_panes for sheet in book} == {"A2"}
    found = [row for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert found == [(number, f"№ {number}") for number in range(1500)]
    assert book["Объекты 3"].auto_filter.ref == "A1:B101"


def test_a_sheet_that_is_just_full_has_no_empty_one_after_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MAX_ROWS", 700)
    write(path, ([number] for number in range(1400)), [Kind.NUMBER])
    assert [sheet.max_row for sheet in read(path)] == [701, 701]


def test_a_part_that_would_grow_beyond_what_archives_hold(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then texts go into their cells, and rows to the next sheet."""
    monkeypatch.setattr(strings, "MAX_PART", 20_000)
    monkeypatch.setattr(xlsx, "MAX_PART", 200_000)
    wanted = [(f"text & {number}", None if number % 3 else number) for number in range(5000)]
    write(path, iter(wanted), [Kind.TEXT, Kind.NUMBER])
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("xl/sharedStrings.xml").file_size < 80_000
        assert archive.getinfo("xl/worksheets/sheet1.xml").file_size < 300_000
    book = read(path)
    assert len(book.sheetnames) > 1
    found = [row for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert found == wanted


def test_texts_are_in_a_table_of_their_own_and_repeated_ones_once(path: Path) -> None:
    """Cells with the text inside are empty in Numbers and in the previews of phones."""
    count = 3 * strings.REPEATED
    write(path, ([f"ул. {n}", "Новый"] for n in range(count)), [Kind.TEXT, Kind.CHOICE])
    with zipfile.ZipFile(path) as archive:
        assert b"inlineStr" not in archive.read("xl/worksheets/sheet1.xml")
        table = archive.read("xl/sharedStrings.xml").decode()
    assert table.count(">Новый<") == 1
    assert table.count("<si>") == 2 + count + 1


def test_the_archive_is_told_for_a_workbook_and_is_sound(path: Path) -> None:
    write(path, iter([["x"]]), [Kind.TEXT])
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "_rels/.rels"
        assert archive.namelist()[-1] == "[Content_Types].xml"


@pytest.mark.parametrize(
    ("title", "number", "name"),
    [
        ("Объекты", 1, "Объекты"),
        ("Объекты", 2, "Объекты 2"),
        ("a" * 40, 1, "a" * 31),
        ("a" * 40, 12, "a" * 28 + " 12"),
        ("[a]/b?*:\\'", 1, "a  b"),
        ("'", 1, "1"),
        ("", 2, "1 2"),
        ("a\n\x00b", 1, "a \ufffdb"),
    ],
)
def test_names_of_sheets(path: Path, title: str, number: int, name: str) -> None:
    assert sheet_name(title, number) == name
    write(path, iter([]), [Kind.TEXT], title=title)
    assert len(read(path).sheetnames) == 1


def test_a_name_with_an_apostrophe(path: Path) -> None:
    write(path, iter([["x"]]), [Kind.TEXT], title="O'Neil & co <1>")
    book = read(path)
    assert book.sheetnames == ["O'Neil & co <1>"]
    assert book.active.print_title_rows == "$1:$1"


def test_more_columns_than_letters(path: Path) -> None:
    write(path, iter([list(range(60))]), [Kind.NUMBER] * 60)
    assert [cell.value for cell in read(path).active[2]] == list(range(60))
    assert read(path).active["BH2"].value == 59


def test_long_texts_make_their_rows_higher(path: Path) -> None:
    texts = ["короткий", "слово " * 60, "\n".join("абв"), "слово " * 3000]
    write(path, ([text] for text in texts), [Kind.NOTE])
    sheet = read(path).active
    heights = [sheet.row_dimensions[row].height for row in range(2, 6)]
    assert heights == [None, 75, 45, 150]
    assert sheet["A3"].alignment.wrap_text


@pytest.mark.parametrize(
    ("kind", "values", "fits"),
    [
        (Kind.TEXT, ["a" * 30], lambda width: 30 < width < 36),
        (Kind.TEXT, ["a" * 300], lambda width: width == 50),
        (Kind.NOTE, ["a" * 300], lambda width: width == 70),
        (Kind.TEXT, ["日" * 10], lambda width: width > 20),
        (Kind.TEXT, ["a\n" * 30], lambda width: width < 12),
        (Kind.TEXT, [], lambda width: 9 <= width < 12),
        (Kind.MOMENT, [MOMENT], lambda width: width == 17),
        (Kind.MOMENT, ["2026-03-01T22:30:05.123456Z"], lambda width: width > 27),
    ],
)
def test_widths(kind: Kind, values: list[Any], fits: Callable[[float], bool]) -> None:
    assert fits(width_of(kind, "Шапка", values))
