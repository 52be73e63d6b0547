"""A pytest plugin: tests that commit (`transaction=True`) end by emptying every table, the append-only ones
too.

In production nothing empties the trail. Here, as the tables' owner: PostgreSQL's trigger is switched off for
the moment, SQLite's gate for pruning is opened.
"""

from collections.abc import Generator, Iterable
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.operations import BaseDatabaseOperations

from audit.kept import GUARD, PRUNE_GATE, TABLE
from crm.db.gates import gate_sql

_flush = BaseDatabaseOperations.execute_sql_flush


def with_the_trail(operations: BaseDatabaseOperations, sql_list: Iterable[str]) -> Any:
    """Django's flush (one transaction), between letting the trail go and guarding it again."""
    connection = operations.connection
    if connection.vendor == "postgresql":
        before = f"ALTER TABLE {TABLE} DISABLE TRIGGER {GUARD}"
        after = f"ALTER TABLE {TABLE} ENABLE TRIGGER {GUARD}"
        # The library's own table is no model of ours, but refers to some: it is empty, and empties along.
        sql_list = [sql.replace(";", " CASCADE;") for sql in sql_list]
    else:
        before = gate_sql(connection, PRUNE_GATE, "open")
        after = gate_sql(connection, PRUNE_GATE, "closed")
    return _flush(operations, [before, *sql_list, after])


@pytest.fixture(scope="session", autouse=True)
def _emptying() -> Generator[None, None, None]:
    kind = type(connections[DEFAULT_DB_ALIAS].ops)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "execute_sql_flush", with_the_trail)
        yield
