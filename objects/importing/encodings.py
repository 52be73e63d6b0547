"""Which of the encodings that Russian offices use a file is written in."""

import codecs
import re
from collections import Counter
from typing import BinaryIO

from django.utils.translation import gettext as _

from objects.importing.table import MAX_BYTES, BrokenFileError

_CHUNK = 64 * 1024
_PATTERNS = {
    "high": re.compile(rb"[\x80-\xff]"),
    # A Cyrillic letter in UTF-8. In Windows-1251 it would read «Р°», which no text holds often.
    "utf8": re.compile(rb"[\xd0\xd1][\x80-\xbf]"),
    # In Windows-1251: Cyrillic letters, «№», quotes, dashes, the no-break space, the ellipsis.
    "usual": re.compile(rb"[\xc0-\xff\xa8\xb8\xb9\xab\xbb\x84\x85\x91-\x97\xa0\xb0]"),
    # KOI8-R read as Windows-1251 is «мНЯЙБЮ»: capitals follow small letters, not the other way.
    "swapped": re.compile(rb"[\xe0-\xff][\xc0-\xdf]"),
    "proper": re.compile(rb"[\xc0-\xdf][\xe0-\xff]"),
}
_ODD_SHARE = 20  # one in twenty is no accident any more


def survey(stream: BinaryIO) -> tuple[str, int]:
    """Read the whole stream once; return its encoding and its number of line ends.

    The stream is left at its end. Raises BrokenFileError for a binary file, one that is too large
    when unpacked, damaged UTF-8, and any encoding but UTF-8 and Windows-1251. Deciding on the whole
    file, not on its head, keeps one damaged byte on the last line from turning names into noise.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    found: Counter[str] = Counter()
    is_utf8, bom, size, lines = True, False, 0, 0
    chunk = None
    while chunk != b"":
        chunk = stream.read(_CHUNK)
        bom = bom or (size == 0 and chunk.startswith(codecs.BOM_UTF8))
        size += len(chunk)
        lines += chunk.count(b"\n")
        if size > MAX_BYTES:
            raise BrokenFileError(_("The file is too large when unpacked."))
        if b"\x00" in chunk:
            raise BrokenFileError(
                _("The file is not text (it holds NUL bytes). Save it as CSV in UTF-8, or as XLSX.")
            )
        is_utf8 = is_utf8 and _decodes(decoder, chunk)
        for name, pattern in _PATTERNS.items():
            found[name] += len(pattern.findall(chunk))
    return ("utf-8-sig" if is_utf8 else _one_byte_encoding(found, bom=bom)), lines


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
    if odd * _ODD_SHARE > found["high"] or found["swapped"] > found["proper"]:
        raise BrokenFileError(_("The file is written neither in UTF-8 nor in Windows-1251."))
    return "cp1251"
