"""A workbook's other parts: which sheets there are, the strings they share, which formats are dates."""

import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

from crm.importing.table import MAX_CELL
from crm.importing.xml_stream import Attributes, Handlers, parsed

_MOST_STRINGS = 2_000_000
_MOST_FORMATS = 70_000  # a spreadsheet allows 65,490
# _xHHHH_ stands for a character that XML cannot hold (ECMA-376 part 1, 22.9.2.19).
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATES = range(0xD800, 0xE000)
_FIRST_PRINTABLE = 0x20


@dataclass(slots=True)
class Workbook:
    """Where a workbook's parts lie in the archive. `sheets`: name → path, in the tabs' order."""

    sheets: dict[str, str] = field(default_factory=dict)
    first_sheet: str = ""
    strings: str | None = None
    styles: str | None = None
    from_1904: bool = False


class Moment(Enum):
    """What a number with a format is: a date (with or without a time of day), or a span of time."""

    DATE = "date"
    SPAN = "span"


def _nothing(*_args: object) -> None:
    pass


def _walk(
    archive: zipfile.ZipFile,
    path: str,
    start: Callable[[str, Attributes], None] = _nothing,
    end: Callable[[str], None] = _nothing,
    text: Callable[[str], None] = _nothing,
) -> None:
    with archive.open(path) as part:
        for _step in parsed(part, Handlers(start, end, text)):
            pass


def _relations(archive: zipfile.ZipFile, path: str) -> dict[str, tuple[str, str]]:
    """Relation id → the last word of its type, and the path of its target."""
    folder, name = posixpath.split(path)
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"]))
            kind = attributes["Type"].rpartition("/")[2]
            found[attributes["Id"]] = (kind, target.lstrip("/"))

    _walk(archive, posixpath.join(folder, "_rels", f"{name}.rels"), start)
    return found


def read_workbook(archive: zipfile.ZipFile) -> Workbook:
    """Raises KeyError and others (see xlsx.UNREADABLE) where the archive holds no workbook."""
    book = Workbook()
    paths = dict(_relations(archive, "").values())
    path = paths["officeDocument"]
    related = _relations(archive, path)
    kinds = dict(related.values())
    book.strings, book.styles = kinds.get("sharedStrings"), kinds.get("styles")
    visible: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "workbookPr":
            book.from_1904 = attributes.get("date1904") in ("1", "true")
        if tag == "sheet":
            reference = next(value for key, value in attributes.items() if key.endswith(" id"))
            kind, target = related[reference]
            if kind == "worksheet":
                book.sheets[attributes["name"]] = target
                if attributes.get("state", "visible") == "visible":
                    visible.append(attributes["name"])

    _walk(archive, path, start)
    book.first_sheet = (visible or list(book.sheets))[0]
    return book


def read_strings(archive: zipfile.ZipFile, book: Workbook) -> list[str]:
    """The shared strings, as plain text, without the reading aids of East Asian scripts."""
    strings: list[str] = []
    if book.strings is None or book.strings not in archive.namelist():
        return strings
    pieces: list[str] = []
    state = {"t": False, "rPh": False}

    def start(tag: str, _attributes: Attributes) -> None:
        if tag in state:
            state[tag] = True

    def end(tag: str) -> None:
        if tag in state:
            state[tag] = False
        elif tag == "si":
            strings.append(plain("".join(pieces)))
            pieces.clear()
            if len(strings) > _MOST_STRINGS:
                raise ValueError

    def text(piece: str) -> None:
        if state["t"] and not state["rPh"]:
            pieces.append(piece)

    _walk(archive, book.strings, start, end, text)
    return strings


def read_dates(archive: zipfile.ZipFile, book: Workbook) -> list[Moment | None]:
    """For each cell format whether its numbers are moments."""
    formats: dict[int, str] = dict(BUILTIN_FORMATS)
    kinds: list[Moment | None] = []
    if book.styles is None or book.styles not in archive.namelist():
        return kinds
    known: dict[int, Moment | None] = {}
    inside = [False]

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "numFmt":
            formats[int(attributes["numFmtId"])] = attributes["formatCode"][:MAX_CELL]
        elif tag == "cellXfs":
            inside[0] = True
        elif tag == "xf" and inside[0]:
            number = int(attributes.get("numFmtId", 0))
            if number not in known:
                known[number] = _moment(formats.get(number, ""))
            kinds.append(known[number])
            if len(kinds) > _MOST_FORMATS:
                raise ValueError

    def end(tag: str) -> None:
        if tag == "cellXfs":
            inside[0] = False

    _walk(archive, book.styles, start, end)
    return kinds


def _moment(code: str) -> Moment | None:
    if is_timedelta_format(code):
        return Moment.SPAN
    return Moment.DATE if is_date_format(code) else None


def plain(text: str) -> str:
    """A cell's text, trimmed, with the characters that XML cannot hold, so far as a text may hold them."""
    return (_ESCAPED.sub(_unescaped, text) if "_x" in text else text).strip()


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    if code in _SURROGATES or (code < _FIRST_PRINTABLE and chr(code) not in "\t\n\r"):
        return ""
    return chr(code)
