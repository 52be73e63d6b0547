"""CSV files, byte by byte."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reports import writers
from reports.columns import Column, Kind, chosen

COLUMNS = [
    Column(key=str(kind), label=f"Его {kind}", kind=kind, path="id")
    for kind in (Kind.TEXT, Kind.MONEY, Kind.DEGREES, Kind.NUMBER, Kind.MOMENT, Kind.DATE)
]
MOMENT = datetime(2026, 3, 2, 0, 30, 15)  # noqa: DTZ001 - a cell has no time zone
ROW = ["текст", Decimal("12.05"), -37.5, -3, MOMENT, date(2026, 3, 2)]


def written(
    path: Path, rows: Sequence[Sequence[Any]], columns: Sequence[Column] = COLUMNS, **told: Any
) -> str:
    told = {"language": "ru", "raw": False, **told}
    writers.write(
        path / "report", format="csv", title="t", columns=columns, rows=iter(rows),
        progress=lambda _rows: None, **told,
    )  # fmt: skip
    raw = (path / "report").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\xef\xbb\xbf") == 1
    return raw[3:].decode()


def test_for_a_russian_excel(tmp_path: Path) -> None:
    assert written(tmp_path, [ROW]) == (
        "Его text;Его money;Его degrees;Его number;Его moment;Его date\r\n"
        "текст;12,05;-37,5;-3;02.03.2026 00:30;02.03.2026\r\n"
    )


def test_for_others(tmp_path: Path) -> None:
    assert written(tmp_path, [ROW], language="en") == (
        "Его text,Его money,Его degrees,Его number,Его moment,Его date\r\n"
        "текст,12.05,-37.5,-3,2026-03-02 00:30,2026-03-02\r\n"
    )


def test_for_programs(tmp_path: Path) -> None:
    rows = [["a;b", Decimal("1.50"), None, 2, "2026-03-01T21:30:15Z", True]]
    assert written(tmp_path, rows, raw=True) == (
        "text,money,degrees,number,moment,date\r\na;b,1.50,,2,2026-03-01T21:30:15Z,true\r\n"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('он "сказал"', '"он ""сказал"""'),
        ("a;b", '"a;b"'),
        ("a,b", "a,b"),
        ("две\r\nстроки", '"две\nстроки"'),
        ("=1", "'=1"),
    ],
)
def test_quoting(tmp_path: Path, text: str, line: str) -> None:
    shown = written(tmp_path, [[text, None]], COLUMNS[:2])
    assert shown == f"Его text;Его money\r\n{line};\r\n"


def test_a_single_empty_cell_is_a_row(tmp_path: Path) -> None:
    assert written(tmp_path, [[None], ["x"]], COLUMNS[:1]) == 'Его text\r\n""\r\nx\r\n'


def test_odd_numbers_are_text(tmp_path: Path) -> None:
    rows = [[float("nan")], [float("-inf")], [1e-7]]
    assert written(tmp_path, rows, COLUMNS[2:3]) == "Его degrees\r\nnan\r\n'-inf\r\n1e-07\r\n"


def test_headers_follow_the_language(tmp_path: Path) -> None:
    columns = chosen("objects", ["address", "type"])
    assert written(tmp_path, [], columns) == "Адрес;Тип\r\n"
    assert written(tmp_path, [], columns, language="en") == "Address,Type\r\n"
    assert written(tmp_path, [], columns, raw=True) == "address,type\r\n"
