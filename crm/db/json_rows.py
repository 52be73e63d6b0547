"""Any number of rows in one INSERT with one parameter: a JSON array that the database takes apart.

With a parameter for each value PostgreSQL would end at 65,535 of them and SQLite at its limit of variables,
and Django would cut the rows into several statements.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connections, models


def insert_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, using: str
) -> None:
    """Insert `rows` into the model's table, in one statement. Each row is attribute → value, all alike.

    Values: what JSON holds, UUIDs, aware datetimes, and lists and dicts for JSON columns. Raises
    django.db.IntegrityError like any insert.
    """
    if not rows:
        return
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = [f for f in model._meta.concrete_fields if f.attname in rows[0]]
    columns = ", ".join(quote(str(f.column)) for f in fields)
    table = quote(model._meta.db_table)
    if connection.vendor == "postgresql":
        types = ", ".join(f"{quote(f.attname)} {f.db_type(connection)}" for f in fields)
        values = ", ".join(quote(f.attname) for f in fields)
        source = f"SELECT {values} FROM jsonb_to_recordset(%s::jsonb) AS given({types})"
        text = _fast(rows)
    else:
        values = ", ".join(f"json_extract(value, '$.{f.attname}')" for f in fields)
        source = f"SELECT {values} FROM json_each(%s)"
        text = json.dumps(rows, ensure_ascii=False, default=_for_sqlite)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) {source}", [text])


def _fast(rows: Sequence[Mapping[str, Any]]) -> str:
    """For PostgreSQL: what orjson writes by itself are ids and moments as it reads them."""
    try:
        return orjson.dumps(rows).decode()
    except orjson.JSONEncodeError:
        # Whole numbers of more than 64 bits, say.
        return json.dumps(rows, ensure_ascii=False, default=_for_postgresql)


def _for_postgresql(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return _text(value)


def _for_sqlite(value: Any) -> str:
    """As Django writes them there: moments in UTC without an offset, ids as hexadecimal digits."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    if isinstance(value, UUID):
        return value.hex
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")
