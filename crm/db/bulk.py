"""Writing many rows at once, the fastest way that each engine has; triggers and constraints apply as ever."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

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


def update_rows(
    connection: BaseDatabaseWrapper,
    model: type[Model],
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Row],
) -> int:
    """Write `columns` of many live rows in one statement; returns how many were written.

    Each row holds the values of `keys`, then those of `columns`. A row is written only where it still has
    its keys' values (id, version), so that the number tells whether somebody else came first.
    Raises django.db.IntegrityError like any update.
    """
    return _UPDATES[connection.vendor](connection, model, keys, columns, rows)


def insert_unless_there(
    connection: BaseDatabaseWrapper, model: type[Model], columns: Sequence[str], rows: Iterable[Row]
) -> int:
    """Insert the rows that no unique index refuses, in one statement; returns how many those were."""
    return _INSERTS[connection.vendor](connection, model, columns, rows)


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


def _types(
    connection: BaseDatabaseWrapper, model: type[Model], columns: Sequence[str]
) -> dict[str, str]:
    """Column → its type in this database."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    return {column: str(fields[column].db_type(connection)) for column in columns}


def _recordset(
    connection: BaseDatabaseWrapper, model: type[Model], columns: Sequence[str], rows: Iterable[Row]
) -> tuple[str, str]:
    """A FROM item (alias d, its columns named like the table's) and its one parameter.

    https://www.postgresql.org/docs/current/functions-json.html: json keeps every digit of a number.
    """
    typed = _types(connection, model, columns)
    names = ", ".join(f'"{column}" {kind}' for column, kind in typed.items())
    data = [dict(zip(columns, row, strict=True)) for row in rows]
    return f"json_to_recordset(%s::json) AS d({names})", orjson.dumps(data, default=str).decode()


def _update_from_json(
    connection: BaseDatabaseWrapper,
    model: type[Model],
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Row],
) -> int:
    """PostgreSQL: one UPDATE … FROM."""
    source, data = _recordset(connection, model, [*keys, *columns], rows)
    sets = ", ".join(f'"{column}" = d."{column}"' for column in columns)
    same = " AND ".join(f't."{key}" = d."{key}"' for key in keys)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} t SET {sets} FROM {source} WHERE {same} AND t.deleted_at IS NULL",
            [data],
        )
        return int(cursor.rowcount)


def _update_many(
    connection: BaseDatabaseWrapper,
    model: type[Model],
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Iterable[Row],
) -> int:
    """SQLite: one prepared UPDATE, executed for each row."""
    sets = ", ".join(f'"{column}" = %s' for column in columns)
    same = " AND ".join(f'"{key}" = %s' for key in keys)
    table = connection.ops.quote_name(model._meta.db_table)
    turned = ([*row[len(keys) :], *row[: len(keys)]] for row in _converted(rows, _SQLITE))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {sets} WHERE {same} AND deleted_at IS NULL",
            turned,  # type: ignore[arg-type]
        )
        return int(cursor.rowcount)


def _insert_from_json(
    connection: BaseDatabaseWrapper, model: type[Model], columns: Sequence[str], rows: Iterable[Row]
) -> int:
    """PostgreSQL: one INSERT … SELECT."""
    source, data = _recordset(connection, model, columns, rows)
    names = ", ".join(f'"{column}"' for column in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {source} ON CONFLICT DO NOTHING",
            [data],
        )
        return int(cursor.rowcount)


def _insert_many_new(
    connection: BaseDatabaseWrapper, model: type[Model], columns: Sequence[str], rows: Iterable[Row]
) -> int:
    """SQLite: one prepared INSERT, executed for each row."""
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",
            _converted(rows, _SQLITE),  # type: ignore[arg-type]
        )
        return int(cursor.rowcount)


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
_UPDATES: dict[str, Callable[..., int]] = {
    "postgresql": _update_from_json,
    "sqlite": _update_many,
}
_INSERTS: dict[str, Callable[..., int]] = {
    "postgresql": _insert_from_json,
    "sqlite": _insert_many_new,
}
