"""The texts of a workbook, in a table of their own that cells refer to.

Not inside of the cells, which would be simpler: Apple's Numbers and the previews of phones and mail programs
show such cells empty. The table is written to a temporary file beside the sheets, and repeats most texts, so
that memory does not grow with them.
"""

import gzip
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from reports.writers.text import xml_text

# A part of a ZIP archive beyond 2 GiB needs an extension that not every reader knows.
MAX_PART: Final = 2**31 - 2**26
# A column with no more different texts than this has each of them in the table once.
REPEATED: Final = 1000
_HEAD: Final = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
)
_OPEN, _CLOSE = '<si><t xml:space="preserve">', "</t></si>"
_TAIL: Final = b"</sst>"


class SharedStrings:
    """Takes texts, gives their numbers. Close it: it holds a temporary file."""

    def __init__(self, directory: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - closed by __exit__
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=1)
        self._packed.write(_HEAD)
        self._count = 0
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def full(self) -> bool:
        """Whether texts must go into their cells from now on."""
        return self._size > MAX_PART

    def add(self, texts: Sequence[str]) -> range:
        """Write the texts to the table; their numbers, in order."""
        if texts:
            content = f"{_CLOSE}{_OPEN}".join([xml_text(text) for text in texts])
            written = f"{_OPEN}{content}{_CLOSE}".encode()
            self._packed.write(written)
            self._size += len(written)
        numbers = range(self._count, self._count + len(texts))
        self._count += len(texts)
        return numbers

    def copy_to(self, part: IO[bytes], tick: Callable[[], None]) -> None:
        """Write the whole table, calling `tick` now and then. Nothing can be added after that."""
        self._packed.write(_TAIL)
        self._packed.close()
        self._file.seek(0)
        with gzip.GzipFile(fileobj=self._file, mode="rb") as unpacked:
            while block := unpacked.read(2**16):
                part.write(block)
                tick()


class RepeatedTexts:
    """The numbers of one column's texts, each text in the table once, as long as they are few."""

    def __init__(self, strings: SharedStrings) -> None:
        self._strings = strings
        self._known: dict[str, int] | None = {}

    def numbers(self, texts: Sequence[str]) -> Sequence[int]:
        """The texts' numbers in the table."""
        known = self._known
        if known is None:
            return self._strings.add(texts)
        new = list(dict.fromkeys(text for text in texts if text not in known))
        known.update(zip(new, self._strings.add(new), strict=True))
        found = [known[text] for text in texts]
        if len(known) > REPEATED:
            self._known = None
        return found
