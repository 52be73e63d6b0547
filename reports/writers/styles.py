"""How cells of each kind look, and how wide their columns are."""

import math
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any, Final, NamedTuple

from reports.columns import Kind


class Look(NamedTuple):
    """A cell's number format and place. wrapped: long text goes on in the next line."""

    format: str
    align: str = "left"
    wrapped: bool = False


# The format of text, `@`, so that a phone or a `=` stays text when somebody edits the cell.
_LOOKS: Final[dict[Kind, Look]] = {
    Kind.TEXT: Look("@", wrapped=True),
    Kind.NOTE: Look("@", wrapped=True),
    Kind.ID: Look("@"),
    Kind.NUMBER: Look("0", "right"),
    Kind.MONEY: Look("#,##0.00", "right"),
    Kind.DEGREES: Look("0.000000", "right"),
    Kind.MOMENT: Look("", "center"),
    Kind.DATE: Look("", "center"),
    Kind.TIME: Look("@", "center"),
    Kind.BOOLEAN: Look("General", "center"),
    Kind.PHONE: Look("@"),
    Kind.CHOICE: Look("@"),
    Kind.LIST: Look("@", wrapped=True),
    Kind.ATTRIBUTES: Look("@", wrapped=True),
}
# The day first with dots, or the year first with dashes: neither is taken for the American order.
_DATES: Final = {"ru": "dd.mm.yyyy", "en": "yyyy-mm-dd"}
_TIME: Final = "hh:mm"
_WRAP: Final = ' wrapText="1"'

# In characters of the usual font; the header needs room for the filter's button.
_NARROWEST, _WIDEST, _WIDEST_NOTE = 9, 50, 70
_BUTTON: Final = 3
_DATE_WIDTH, _MOMENT_WIDTH = 12, 17
# Points; a text longer than that is read in its cell.
LINE: Final = 15
_MOST_LINES: Final = 10
HEADER_HEIGHT: Final = 33
_LONG_HEADER: Final = 12
# Widths are measured in digits; a letter is a little narrower.
_LETTER: Final = 0.95

# The first styles of the table: the default one, which it must have, then the headers'.
_HEADERS: Final = {"left": 1, "center": 2, "right": 3}
_FIRST: Final = 4
_STYLES: Final[dict[Kind, int]] = {kind: number for number, kind in enumerate(Kind, _FIRST)}
_NEVER_TEXT: Final = {Kind.NUMBER, Kind.MONEY, Kind.DEGREES, Kind.MOMENT, Kind.DATE}


def style_of(kind: Kind) -> int:
    """The style of a column's cells."""
    return _STYLES[kind]


def header_style_of(kind: Kind) -> int:
    """The style of the header of such a column."""
    return _HEADERS[_LOOKS[kind].align]


def _indent(look: Look) -> str:
    """What stands at the left or right keeps off the line."""
    return "" if look.align == "center" else ' indent="1"'


def text_style_of(kind: Kind) -> int:
    """The style of a text in such a column."""
    return _STYLES[Kind.TEXT if kind in _NEVER_TEXT else kind]


def date_format(language: str) -> str:
    """A date, in Excel's letters."""
    return _DATES.get(language[:2], _DATES["en"])


def styles_xml(language: str) -> str:
    """The workbook's table of styles."""
    day = date_format(language)
    formats = {Kind.MOMENT: f"{day} {_TIME}", Kind.DATE: day}
    numbered = {kind: formats.get(kind, look.format) for kind, look in _LOOKS.items()}
    # From 164 on the numbers of formats are a file's own.
    ids = {code: number for number, code in enumerate(dict.fromkeys(numbered.values()), 164)}
    declared = "".join(
        f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for code, number in ids.items()
    )
    cells = "".join(
        f'<xf numFmtId="{ids[numbered[kind]]}" fontId="0" fillId="0" borderId="2" xfId="0"'
        f' applyNumberFormat="1" applyBorder="1" applyAlignment="1"><alignment horizontal="{look.align}"'
        f' vertical="center"{_indent(look)}{_WRAP if look.wrapped else ""}/></xf>'
        for kind, look in ((kind, _LOOKS[kind]) for kind in Kind)
    )
    headers = "".join(
        '<xf numFmtId="0" fontId="1" fillId="2" borderId="1" xfId="0" applyFont="1" applyFill="1"'
        f' applyBorder="1" applyAlignment="1"><alignment horizontal="{align}" vertical="center"{_WRAP}'
        f"{_indent(Look('', align))}/></xf>"
        for align in _HEADERS
    )
    return _STYLESHEET.format(
        formats=declared,
        count=len(ids),
        headers=headers,
        cells=cells,
        styles=len(_STYLES) + _FIRST,
    )


_STYLESHEET: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<numFmts count="{count}">{formats}</numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE2EAF4"/><bgColor indexed="64"/></patternFill>'
    '</fill></fills><borders count="3"><border><left/><right/><top/><bottom/><diagonal/></border>'
    '<border><left/><right/><top/><bottom style="thin"><color rgb="FF8EA9C8"/></bottom><diagonal/></border>'
    '<border><left/><right/><top/><bottom style="thin"><color rgb="FFE1E6EC"/></bottom><diagonal/></border>'
    '</borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="{styles}"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    "{headers}{cells}</cellXfs>"
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def width_of(kind: Kind, header: str, sample: Iterable[Any]) -> float:
    """A column's width in characters, by its header and the values at the sheet's top."""
    least = max(_NARROWEST, _header_width(header) + _BUTTON)
    if kind in (Kind.MOMENT, Kind.DATE):
        # As text, without a time zone, it is longer; then it is measured like any text.
        usual = _DATE_WIDTH if kind is Kind.DATE else _MOMENT_WIDTH
        least = max(least, usual)
    shown = (value for value in sample if value is not None and not isinstance(value, date))
    longest = max((breadth(str(value)) for value in shown), default=0)
    most = _WIDEST_NOTE if kind is Kind.NOTE else _WIDEST
    return min(max(least, longest + 3), max(least, most))


def _header_width(header: str) -> int:
    """A long header takes two lines."""
    longest = max((len(word) for word in header.split()), default=0)
    return len(header) if len(header) <= _LONG_HEADER else max(longest, len(header) // 2 + 2)


def wraps(kind: Kind) -> bool:
    """Whether a text that is wider than its column goes on below."""
    return _LOOKS[kind].wrapped


def height_of(text: str, width: float) -> int:
    """How high a row must be (in points) to show the text in a column of that width; 0: as high as any."""
    if len(text) <= width and "\n" not in text:
        return 0
    lines = sum(max(1, math.ceil(breadth(line) * _LETTER / width)) for line in text.split("\n"))
    return 0 if lines == 1 else LINE * min(lines, _MOST_LINES)


def breadth(text: str) -> int:
    """How many characters wide the text's longest line is; East Asian ones and emoji count twice."""
    lines = text.split("\n")
    return max(
        len(line)
        if line.isascii()
        else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        for line in lines
    )
