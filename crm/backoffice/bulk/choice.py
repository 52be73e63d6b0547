"""The rows that somebody chose, as they were at that moment: ids and versions, 20 bytes a row."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from uuid import UUID

from crm.editing_many import Bases

# Enough for a city's houses; more is a matter for an import, and would make a row of the jobs too large.
MOST: Final = 100_000

_ROW = struct.Struct(">16sI")


def packed(chosen: Mapping[UUID, int] | Iterable[tuple[UUID, int]]) -> bytes:
    """Rows in id order, so that two jobs over the same rows lock them in the same order."""
    pairs = dict(chosen)
    return b"".join(_ROW.pack(pk.bytes, pairs[pk]) for pk in sorted(pairs))


def size_of(stored: bytes) -> int:
    """How many rows there are."""
    return len(stored) // _ROW.size


def slice_of(stored: bytes, first: int, count: int) -> Bases:
    """So many rows from that one on."""
    return dict(rows(stored[first * _ROW.size : (first + count) * _ROW.size]))


def rest_of(stored: bytes, first: int) -> bytes:
    """The rows from that one on, as they are stored."""
    return stored[first * _ROW.size :]


def rows(stored: bytes) -> Iterator[tuple[UUID, int]]:
    """Id and version of each row."""
    for raw, version in _ROW.iter_unpack(stored):
        yield UUID(bytes=raw), version
