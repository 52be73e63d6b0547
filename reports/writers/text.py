"""Text as the formats can hold it.

Replaced: characters that XML has no way to write (control characters but tab and line feed, lone surrogates,
U+FFFE and U+FFFF) by `�`; line ends by a line feed. A text longer than a cell of Excel is cut, and ends in
`…`.
"""

import re
from typing import Any, Final

# In UTF-16 units: https://support.microsoft.com/office/excel-specifications-and-limits
MAX_CELL: Final = 32_767
REPLACEMENT: Final = "\ufffd"
_LINE_ENDS: Final = re.compile(r"\r\n?")
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# ECMA-376, 22.9.2.19: readers take `_x000D_` for a carriage return, so that a text that merely looks like one
# needs its underscore escaped.
_ESCAPE_LIKE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# The first characters of a cell that a spreadsheet computes, and the blanks that it may skip before them.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# A file is also opened by readers that split it at another character, or know no quotes: there a formula
# could begin in the middle of a text.
_HIDDEN_FORMULA: Final = re.compile(r"""(?<=[,;|\t\n"])(?=[=+\-@])""")


def xml_text(text: str) -> str:
    """The text as the content of an XML element of a spreadsheet."""
    if (
        text.isprintable()
        and len(text) <= MAX_CELL // 2
        and not ("&" in text or "<" in text or ">" in text or "_x" in text)
    ):
        return text
    shown = _ESCAPE_LIKE.sub("_x005F_", cut(clean(text)))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str) -> str:
    """The text without what XML cannot hold."""
    return _UNWRITABLE.sub(REPLACEMENT, _LINE_ENDS.sub("\n", text))


def cut(text: str) -> str:
    """The text (already clean) as long as a cell may be."""
    if len(text) <= MAX_CELL // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MAX_CELL:
        return text
    # Half of a character beyond the basic plane would be no text.
    return units[: 2 * (MAX_CELL - 1)].decode("utf-16-le", "ignore") + "…"


def csv_text(text: str) -> str:
    """The text as a cell of a CSV file, before it is quoted: never a formula, whoever opens it."""
    if not text.isprintable():
        # NUL ends a cell in Excel, a lone surrogate is no UTF-8; the rest of the control characters is legal,
        # but no better for being kept.
        text = clean(text)
    if text.startswith(_FORMULA):
        text = f"'{text}"
    # Most texts have none of these, and looking for them costs less than the expression.
    if "=" in text or "+" in text or "-" in text or "@" in text:
        return _HIDDEN_FORMULA.sub("'", text)
    return text


def plain_number(value: Any) -> str | None:
    """An int, float or Decimal as both formats write it; None for what is not a finite number."""
    shown = str(value)
    return shown if shown[-1:].isdigit() and shown.lstrip("-")[:1].isdigit() else None
