"""Writing many rows at once, the fastest way that each engine has; triggers and constraints apply as ever."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

Row = Sequence[Any]
_Conversions = dict[type, Callable[[Any], Any]]


def copy_rows(
    connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]
) -> None:
    """Insert `rows` into `table`; each row holds the values of `columns` in their order.

    Lists and dicts become JSON, aware datetimes are stored in UTC. Rows are consumed one by one:
    memory does not grow with their number. The caller opens the transaction, so that all or none stay.
    Raises django.db.IntegrityError like any insert.
    """
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    _WAYS[connection.vendor](connection, f"{quote(table)} ({names})", rows)


def refresh_statistics(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> None:
    """Let the planner count anew: in a big load it would go by the sizes of empty tables."""
    with connection.cursor() as cursor:
        for statement in _BEFORE_ANALYZE[connection.vendor]:
            cursor.execute(statement)
        for table in tables:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")


def _converted(rows: Iterable[Row], conversions: _Conversions) -> Iterator[list[Any]]:
    """The rows with each value whose type is listed replaced by its conversion."""
    known = conversions.get
    for row in rows:
        yield [
            value if (convert := known(value.__class__)) is None else convert(value)
            for value in row
        ]


def _copy(connection: BaseDatabaseWrapper, target: str, rows: Iterable[Row]) -> None:
    """PostgreSQL: one COPY (https://www.postgresql.org/docs/current/sql-copy.html)."""
    # Django wraps the call of copy(), but most errors come when the last row has been sent.
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {target} FROM STDIN") as copy,
    ):
        for row in _converted(rows, _POSTGRESQL):
            copy.write_row(row)


def _insert_many(connection: BaseDatabaseWrapper, target: str, rows: Iterable[Row]) -> None:
    """SQLite: one prepared INSERT, executed for each row."""
    marks = ", ".join(["%s"] * (target.count(",") + 1))
    with connection.cursor() as cursor:
        # The stubs ask for a sequence; Django itself hands any iterable on.
        cursor.executemany(f"INSERT INTO {target} VALUES ({marks})", _converted(rows, _SQLITE))  # type: ignore[arg-type]


def _naive_utc(moment: datetime) -> str:
    """As Django writes a moment into SQLite: in UTC, without an offset."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


_POSTGRESQL: _Conversions = {list: json.dumps, dict: json.dumps}
# json.dumps without options, as JSONField does it: a later save of the same value changes no byte.
_SQLITE: _Conversions = {
    list: json.dumps,
    dict: json.dumps,
    datetime: _naive_utc,
    UUID: lambda value: value.hex,
}
# PostgreSQL looks at a sample of its own accord, SQLite at every row unless told otherwise.
_BEFORE_ANALYZE = {"postgresql": (), "sqlite": ("PRAGMA analysis_limit = 1000",)}
_WAYS: dict[str, Callable[[BaseDatabaseWrapper, str, Iterable[Row]], None]] = {
    "postgresql": _copy,
    "sqlite": _insert_many,
}
