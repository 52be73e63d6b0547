"""Questions that an index alone should answer, although they ask for a large share of the rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# The value for disks without seeks. The default, 4, is for those with: the planner then reads a whole table,
# because it takes the pages of a small and much-used index for far away.
_NEAR = "SET LOCAL random_page_cost = 1.1"


@contextmanager
def indexes_are_near(using: str) -> Iterator[None]:
    """Let the planner count on indexes being in memory, until the transaction (or the block) ends."""
    with transaction.atomic(using=using, savepoint=False):
        _WAYS[connections[using].vendor](connections[using])
        yield


def _told(connection: BaseDatabaseWrapper) -> None:
    """PostgreSQL: https://www.postgresql.org/docs/current/runtime-config-query.html#GUC-RANDOM-PAGE-COST."""
    with connection.cursor() as cursor:
        cursor.execute(_NEAR)


def _nothing(_connection: BaseDatabaseWrapper) -> None:
    """SQLite: its planner knows no such costs."""


_WAYS = {"postgresql": _told, "sqlite": _nothing}
