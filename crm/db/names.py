"""Names held until the transaction ends, so that writers of the same things come one after the other."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

# Few enough for the server's table of locks.
BUCKETS: Final = 32


def name_of_value(constraint: str, value: str) -> str:
    """A name for a value that only one row may have.

    Writers of several such values wait for each other at the unique index, each in its own order, so they
    hold the values' names first. Many values share a name.
    """
    return f"{constraint} {sum(value.encode()) % BUCKETS}"


def hold_names(connection: BaseDatabaseWrapper, names: Iterable[str]) -> None:
    """Wait until nobody else holds one of the names, then hold them all.

    All callers get them in the same order, so they never wait for each other in a circle. The server's table
    of locks is shared and small: some dozens of names at once will do, thousands will not.
    """
    numbers = sorted({_number(name) for name in names})
    if numbers:
        _WAYS[connection.vendor](connection, numbers)


def _number(name: str) -> int:
    """A signed 64-bit number for a name; two names that share one merely wait for each other."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)


def _advisory(connection: BaseDatabaseWrapper, numbers: list[int]) -> None:
    """PostgreSQL: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(n) FROM unnest(%s::bigint[]) n", [numbers])


def _nothing(_connection: BaseDatabaseWrapper, _numbers: list[int]) -> None:
    """SQLite: a transaction of ours is the only writer from its beginning."""


_WAYS = {"postgresql": _advisory, "sqlite": _nothing}
