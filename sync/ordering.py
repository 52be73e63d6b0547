"""In which order a batch is worked off, whatever order it came in. Pure.

Items on one record keep their order. Apart from that the order follows from what the items are: parents are
written before what hangs on them and deleted after it, and records of one table go by id. So every order of
the same items gives the same database and the same answers.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from uuid import UUID

from sync.batch import DELETE, Item
from sync.kinds import TABLES

Place = tuple[int, int, int, UUID]


def rounds(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Groups of items, each of one table, one action and at most one item to a record, in id order.

    A record's items form runs of upserts and deletes. First come the upserts up to each record's first
    delete, then those deletes, then what follows them, and so on.
    """
    placed = sorted(((place, item) for place, item in places(items)), key=lambda pair: pair[0])
    for _group, members in groupby(placed, key=lambda pair: pair[0][:3]):
        yield [item for _place, item in members]


def places(items: Iterable[Item]) -> Iterator[tuple[Place, Item]]:
    """Each item with its place: stage, table (from the far end for deletes), number in its run, id."""
    latest: dict[Any, tuple[int, int]] = {}
    for item in items:
        deleting = item.action == DELETE
        stage, number = latest.get(item.key, (0, -1))
        # Upserts have even stages, deletes odd ones.
        stage, number = (stage, number + 1) if stage % 2 == deleting else (stage + 1, 0)
        latest[item.key] = stage, number
        table = TABLES.index(item.table)
        yield (stage, len(TABLES) - table if deleting else table, number, item.id), item
