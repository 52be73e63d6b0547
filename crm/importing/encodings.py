"""Which of the encodings that Russian offices use a file is written in.

UTF-8 with or without a byte order mark, Windows-1251, and UTF-16 with a mark (Excel's «Unicode text»).
"""

import codecs
import re
from collections import Counter
from typing import BinaryIO

from django.utils.translation import gettext as _

from crm.importing.table import MAX_BYTES, BrokenFileError

_CHUNK = 64 * 1024
_HIGH = bytes(range(0x80, 0x100))
# In Windows-1251: Cyrillic letters, «№», quotes, dashes, the no-break space, the ellipsis.
_USUAL = bytes(
    [*range(0xC0, 0x100), *b"\xa8\xb8\xb9\xab\xbb\x84\x85", *range(0x91, 0x98), 0xA0, 0xB0]
)
# The one byte that Windows-1251 gives no meaning.
_UNDEFINED = b"\x98"
_PAIRS = {
    # A Cyrillic letter in UTF-8. In Windows-1251 it would read «Р°», which no text holds often.
    "utf8": re.compile(rb"[\xd0\xd1][\x80-\xbf]"),
    # KOI8-R read as Windows-1251 is «мНЯЙБЮ»: capitals follow small letters, not the other way.
    "swapped": re.compile(rb"[\xe0-\xff][\xc0-\xdf]"),
    "proper": re.compile(rb"[\xc0-\xdf][\xe0-\xff]"),
}
# Bytes that tell one alphabet from another, of which so many are enough.
_TELLING = 4 * 1024 * 1024
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ODD_SHARE = 20  # one in twenty is no accident any more


def survey(stream: BinaryIO) -> tuple[str, int]:
    """Read the whole stream once; return its encoding and its number of line ends.

    The stream is left at its end. Raises BrokenFileError for a binary file, one that is too large
    when unpacked, damaged UTF-8 or UTF-16, and any other encoding. Deciding on the whole file, not
    on its head, keeps one damaged byte on the last line from turning names into noise.
    """
    chunk = stream.read(_CHUNK)
    if chunk.startswith(_UTF16_MARKS):
        return "utf-16", _utf16_lines(chunk, stream)
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, size, lines = True, 0, 0
    bom = chunk.startswith(codecs.BOM_UTF8)
    while True:
        size = _counted(size, chunk)
        lines += chunk.count(b"\n")
        if b"\x00" in chunk:
            raise _not_text()
        is_utf8 = is_utf8 and _decodes(decoder, chunk)
        if not chunk:
            break
        chunk = stream.read(_CHUNK)
    if is_utf8:
        return "utf-8-sig", lines
    stream.seek(0)
    return _one_byte_encoding(_telling_bytes(stream), bom=bom), lines


def _telling_bytes(stream: BinaryIO) -> Counter[str]:
    found: Counter[str] = Counter()
    while chunk := stream.read(_CHUNK):
        found["undefined"] += chunk.count(_UNDEFINED)
        if found["high"] < _TELLING:
            found["high"] += len(chunk) - len(chunk.translate(None, _HIGH))
            found["usual"] += len(chunk) - len(chunk.translate(None, _USUAL))
            for name, pair in _PAIRS.items():
                found[name] += pair.subn(b"", chunk)[1]
    return found


def _utf16_lines(chunk: bytes, stream: BinaryIO) -> int:
    decoder = codecs.getincrementaldecoder("utf-16")()
    size, lines = 0, 0
    try:
        while True:
            size = _counted(size, chunk)
            text = decoder.decode(chunk, final=not chunk)
            lines += text.count("\n")
            if "\x00" in text:
                raise _not_text()
            if not chunk:
                return lines
            chunk = stream.read(_CHUNK)
    except UnicodeDecodeError as error:
        raise BrokenFileError(
            _("The file is damaged: some of its bytes are not valid UTF-16.")
        ) from error


def _counted(size: int, chunk: bytes) -> int:
    if size + len(chunk) > MAX_BYTES:
        raise BrokenFileError(_("The file is too large when unpacked."))
    return size + len(chunk)


def _not_text() -> BrokenFileError:
    return BrokenFileError(
        _("The file is not text (it holds NUL bytes). Save it as CSV in UTF-8, or as XLSX.")
    )


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError:
        return False
    return True


def _one_byte_encoding(found: Counter[str], *, bom: bool) -> str:
    if bom or found["utf8"] * _ODD_SHARE > found["high"]:
        raise BrokenFileError(_("The file is damaged: some of its bytes are not valid UTF-8."))
    odd = found["high"] - found["usual"]
    foreign = odd * _ODD_SHARE > found["high"] or found["swapped"] > found["proper"]
    if foreign or found["undefined"]:
        raise BrokenFileError(_("The file is written neither in UTF-8 nor in Windows-1251."))
    return "cp1251"
