"""Reading a lot at one moment, while others write; and stopping a statement that runs in another thread.

PostgreSQL: a transaction that is repeatable and read only. It never gets a transaction id, so it does not
hold the change feed's horizon back, however long it takes. SQLite: a deferred transaction. Ours are
immediate otherwise: one that only reads would keep every writer out.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def one_snapshot(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Whatever the block reads is the state of one moment: that of its first query.

    Nothing may be written in it. Inside a transaction already open it changes nothing.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        yield
        return
    with _WAYS[connection.vendor](connection):
        yield


@contextmanager
def _repeatable(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _deferred(connection: BaseDatabaseWrapper) -> Iterator[None]:
    connection.ensure_connection()
    if connection.connection.in_transaction:
        # Inside another such block: its moment is this one's.
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        # Rolled back or not, nothing was written. An interrupted statement may have ended it already.
        if connection.connection is not None and connection.connection.in_transaction:
            connection.connection.rollback()


_WAYS = {"postgresql": _repeatable, "sqlite": _deferred}
_STOPS = {"postgresql": "cancel_safe", "sqlite": "interrupt"}


def interrupt(connection: BaseDatabaseWrapper) -> None:
    """Stop the statement that the connection is executing, from another thread; it raises there.

    Does nothing when there is none. https://www.psycopg.org/psycopg3/docs/api/connections.html
    """
    raw = connection.connection
    if raw is None:
        return
    # What cannot be stopped ends by itself.
    with suppress(Exception):
        getattr(raw, _STOPS[connection.vendor])()
