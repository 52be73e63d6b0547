"""XML in pieces: one element at a time, whatever the size of the file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

_CHUNK = 64 * 1024
# expat before 2.6 reads an unfinished tag anew with each piece: without a bound, a tag of 100 MB takes hours
# (CVE-2023-52425).
_LONGEST_TOKEN = 1024 * 1024

Attributes = dict[str, str]


class HostileXml(Exception):
    """XML that no spreadsheet writes: with a document type, or a tag beyond all measure."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """What is told of each element. Names come without their namespace."""

    start: Callable[[str, Attributes], None]
    end: Callable[[str], None]
    text: Callable[[str], None]


def parsed(stream: BinaryIO | object, handlers: Handlers) -> Iterator[None]:
    """Parse a stream, calling the handlers; yields after each piece, so that results can be taken.

    Raises HostileXml, xml.parsers.expat.ExpatError, and what the stream or a handler raises.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    local: dict[str, str] = {}

    def start(name: str, attributes: Attributes) -> None:
        handlers.start(local.get(name) or _local(name, local), attributes)

    def end(name: str) -> None:
        handlers.end(local.get(name) or _local(name, local))

    def refuse(*_args: object) -> None:
        # Entities are declared there: «a billion laughs» in ten lines.
        raise HostileXml

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handlers.text
    parser.StartDoctypeDeclHandler = refuse
    fed = 0
    while chunk := stream.read(_CHUNK):  # type: ignore[union-attr]
        parser.Parse(chunk, False)
        fed += len(chunk)
        if fed - max(parser.CurrentByteIndex, 0) > _LONGEST_TOKEN:
            raise HostileXml
        yield
    parser.Parse(b"", True)
    yield


_MOST_NAMES = 1000


def _local(name: str, known: dict[str, str]) -> str:
    if len(known) >= _MOST_NAMES:
        raise HostileXml
    known[name] = name.rpartition(" ")[2]
    return known[name]
