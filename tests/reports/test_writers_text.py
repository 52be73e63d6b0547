"""Any text that a record can hold comes back from a file, but for what is documented in `writers.text`."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from reports import writers
from reports.columns import Column, Kind
from reports.writers.text import MAX_CELL, csv_text, cut

# Every code point: control characters, lone surrogates and non-characters too.
ANYTHING = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cc", "Cn"]),
        st.sampled_from("=+-@\t\r\n;,|\"'&<>_x0Dё😀 \ufffe"),
    ),
    min_size=1,
    max_size=40,
)
COLUMN = Column(key="text", label="Text", kind=Kind.TEXT, path="id")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def written(path: Path, format_: str, texts: Sequence[str], language: str = "ru") -> bytes:
    writers.write(
        path, format=format_, title="t", columns=[COLUMN], rows=([text] for text in texts),
        language=language, raw=False, progress=lambda _rows: None,
    )  # fmt: skip
    return path.read_bytes()


def documented(text: str) -> str:
    """What a file makes of a text, said another way than the code does."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        "\ufffd"
        if (ord(c) < 32 and c not in "\n\t") or 0xD800 <= ord(c) <= 0xDFFF or c in "\ufffe\uffff"
        else c
        for c in lines
    )


def texts_of(workbook: bytes) -> list[str]:
    """The texts of the cells, as ECMA-376 says that they are to be read."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        table = [
            item.find(f"{NAMESPACE}t").text or ""
            for item in fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        sheet = fromstring(archive.read("xl/worksheets/sheet1.xml"))
    cells = [cell for cell in sheet.iter(f"{NAMESPACE}c") if cell.get("r") != "A1"]
    assert {cell.get("t") for cell in cells} == {"s"}
    assert not list(sheet.iter(f"{NAMESPACE}f"))
    found = [table[int(cell.find(f"{NAMESPACE}v").text)] for cell in cells]
    return [re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) for text in found]


@relaxed
@given(st.lists(ANYTHING, min_size=1, max_size=8))
@example(["_x0041_", "_x005F_x0041_", "_x000D_", "__x0041__", "_x0041", "]]>"])
@example([" ", "\t", "\n", "\r", "\r\n", "\x00", "\ud800", "\udfff\ud800", "\ufffe"])
def test_any_text_comes_back_from_a_workbook_as_text(tmp_path: Path, texts: list[str]) -> None:
    found = texts_of(written(tmp_path / "report.xlsx", "xlsx", texts))
    assert found == [documented(text) for text in texts]


@relaxed
@given(ANYTHING.filter(lambda text: "x005F_" not in text))
def test_openpyxl_reads_it_too(tmp_path: Path, text: str) -> None:
    """(It drops `x005F_` wherever it stands.)"""
    sheet = load_workbook(io.BytesIO(written(tmp_path / "report.xlsx", "xlsx", [text]))).active
    assert (sheet["A2"].value or "") == documented(text)
    assert sheet["A2"].data_type in {"s", "n" if not documented(text) else "s"}


@relaxed
@given(st.lists(ANYTHING, min_size=1, max_size=8), st.sampled_from(["ru", "en"]))
def test_any_text_comes_back_from_csv(tmp_path: Path, texts: list[str], language: str) -> None:
    raw = written(tmp_path / "report.csv", "csv", texts, language)
    assert raw.startswith(b"\xef\xbb\xbf")
    delimiter = ";" if language == "ru" else ","
    lines = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    found = [line[0] if line else "" for line in lines][1:]
    # The apostrophe comes before what could be computed, and nowhere else.
    plain = [documented(text) for text in texts]
    assert [text.replace("'", "") for text in found] == [text.replace("'", "") for text in plain]
    for shown, text in zip(found, plain, strict=True):
        if not re.search(r"""(^[=+\-@\t\n])|[,;|\t\n"][=+\-@]""", text):
            assert shown == text


@relaxed
@given(
    st.lists(st.lists(ANYTHING, min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from(["ru", "en"]),
)
@example([["x;=1+1", "x,=1+1"], ["x\n=1+1", 'x"=1+1'], ['";=1', "\t@x"]], "en")
def test_no_cell_is_a_formula_whoever_opens_the_csv(
    tmp_path: Path, rows: list[list[str]], language: str
) -> None:
    """Also for a reader set to another separator, and for one that knows no quotes."""
    path = tmp_path / "report.csv"
    writers.write(
        path, format="csv", title="t", columns=[COLUMN, COLUMN], rows=iter(rows),
        language=language, raw=False, progress=lambda _rows: None,
    )  # fmt: skip
    text = path.read_text(encoding="utf-8-sig")
    own = ";" if language == "ru" else ","
    for delimiter in ",;\t|":
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
            cells = [cell for line in read for cell in line]
            dangerous = FORMULA if delimiter == own and quoting == csv.QUOTE_MINIMAL else "=+-@"
            assert not [cell for cell in cells if cell.startswith(tuple(dangerous))]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+79123456789", "'+79123456789"),
        ("-", "'-"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\r=1", "'\n'=1"),
        ("a=b", "a=b"),
        ("кв. 5, этаж -1", "кв. 5, этаж -1"),
        ("a;=b", "a;'=b"),
        ('он сказал "-5"', 'он сказал "\'-5"'),
        ("'=1", "'=1"),
        ("", ""),
        ("a\x00b", "a\ufffdb"),
    ],
)
def test_dangerous_texts_in_csv(text: str, shown: str) -> None:
    assert csv_text(text) == shown


@pytest.mark.parametrize(
    "text", ["x" * MAX_CELL, "ё" * MAX_CELL, "😀" * (MAX_CELL // 2), "x" * 20_000]
)
def test_the_longest_text_fits(tmp_path: Path, text: str) -> None:
    assert texts_of(written(tmp_path / "report.xlsx", "xlsx", [text])) == [text]


@pytest.mark.parametrize("letter", ["x", "ё", "😀", "&", "\x00"])
def test_a_longer_text_is_cut_and_says_so(tmp_path: Path, letter: str) -> None:
    (found,) = texts_of(written(tmp_path / "report.xlsx", "xlsx", [letter * (MAX_CELL + 1)]))
    assert found.endswith("…")
    assert MAX_CELL - 2 < len(found.encode("utf-16-le")) // 2 <= MAX_CELL
    assert set(found[:-1]) == {documented(letter)}
    assert cut(found) == found
    # A CSV file has no such limit.
    lines = written(tmp_path / "report.csv", "csv", [letter * (MAX_CELL + 1)])
    assert len(lines) > MAX_CELL
