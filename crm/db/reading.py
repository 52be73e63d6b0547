"""Many rows out of the database, all of one moment, without holding them or holding anybody up."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, QuerySet, TextField
from django.db.models.sql.compiler import SQLCompiler

from crm.db.snapshots import one_snapshot

CHUNK: Final = 2000
# The planner must not count on the reader leaving early, as it does with a cursor.
_TO_THE_END: Final = {"postgresql": "SET LOCAL cursor_tuple_fraction = 1"}


def rows_of_one_moment(rows: QuerySet[Any]) -> Generator[Any]:
    """The rows one by one, as they were when the first was read. Memory does not grow with their number.

    Close the iterator to leave early. Until its end the connection belongs to it: nothing can be written on
    it meanwhile.
    """
    connection = connections[rows.db]
    with one_snapshot(rows.db):
        if connection.vendor in _TO_THE_END:
            with connection.cursor() as cursor:
                cursor.execute(_TO_THE_END[connection.vendor])
        # `iterator()` would hold all rows where a pool of connections forbids cursors that outlive a
        # transaction (DISABLE_SERVER_SIDE_CURSORS). This one lives inside of one, which any pool allows.
        chunked: Any = rows
        yield from chunked._iterator(use_chunked_fetch=True, chunk_size=CHUNK)


class QuickMoment(Func):
    """A moment, read at a fifth of the usual cost. What comes out is for `moment_of`."""

    # Of text Django converts nothing; the drivers' own types come through.
    output_field = TextField()

    def as_sql(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, tuple[Any, ...]]:
        sql, parameters = compiler.compile(self.get_source_expressions()[0])
        # PostgreSQL's driver reads it in C when it has no time zone; SQLite's converts whatever is a column.
        plain = "AT TIME ZONE 'UTC'" if connection.vendor == "postgresql" else "|| ''"
        return f"({sql} {plain})", tuple(parameters)


def moment_of(read: datetime | str) -> datetime:
    """The moment that a QuickMoment gave, in UTC."""
    # SQLite has it as text.
    moment = datetime.fromisoformat(read) if isinstance(read, str) else read
    return moment.replace(tzinfo=UTC)
