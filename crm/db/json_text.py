"""Rows that leave the database as JSON text, without becoming Python objects on the way.

The text means what the API's own JSON of the same columns means: ids with dashes, moments in UTC with `Z` and
six digits of a second where there are any, numbers and booleans as such, JSON columns as they are.
"""

import logging
import re
import threading
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field

log = logging.getLogger(__name__)
_of_this_thread: Final = threading.local()


class Kind(Enum):
    """What a column holds, as far as JSON tells it apart."""

    PLAIN = "plain"
    ID = "id"
    MOMENT = "moment"
    BOOLEAN = "boolean"
    REAL = "real"
    JSON = "json"
    # A row of another table: its members, or null without such a row.
    ROW = "row"


_KINDS: Final[Mapping[str, Kind]] = {
    "UUIDField": Kind.ID,
    "DateTimeField": Kind.MOMENT,
    "BooleanField": Kind.BOOLEAN,
    "FloatField": Kind.REAL,
    "DecimalField": Kind.REAL,
    "JSONField": Kind.JSON,
}


def kind_of(field: "Field[Any, Any]") -> Kind:
    """The kind of a model field's column; a foreign key is what it points to."""
    return _KINDS.get(getattr(field, "target_field", field).get_internal_type(), Kind.PLAIN)


@dataclass(frozen=True)
class Member:
    """One member of a JSON object: its name, and the SQL expression and kind of its value.

    Of a ROW `sql` is what follows FROM (one row at most), and `members` are its own.
    """

    name: str
    sql: str
    kind: Kind = Kind.PLAIN
    members: tuple["Member", ...] = ()


def object_sql(connection: BaseDatabaseWrapper, members: Sequence[Member], source: str = "") -> str:
    """A text expression of a JSON object: of the row at hand, or of what follows FROM (one row at most)."""
    return _OBJECTS[connection.vendor](members, source)


def beside_sql(connection: BaseDatabaseWrapper, members: Sequence[Member]) -> tuple[str, str]:
    """The same of the row that a statement reads: the expression, and what follows the table in its FROM.

    On PostgreSQL the members stand in FROM, where they cost no subquery of their own.
    """
    if connection.vendor != "postgresql":
        return _OBJECTS[connection.vendor](members, ""), ""
    return "row_to_json(d)::text", f", LATERAL (SELECT {_postgresql_columns(members)}) d"


def place_sql(connection: BaseDatabaseWrapper, row: str) -> str:
    """Where a row lies (`row` is its table's alias): within one statement the quickest way back to it.

    https://www.postgresql.org/docs/current/ddl-system-columns.html, https://www.sqlite.org/rowidtable.html
    """
    return f"{row}.{_PLACES[connection.vendor]}"


def moment_sql(connection: BaseDatabaseWrapper, sql: str) -> str:
    """A text expression of a moment, as inside of JSON quotes."""
    return _MOMENTS[connection.vendor](sql)


def id_sql(connection: BaseDatabaseWrapper, sql: str) -> str:
    """A text expression of an id, as inside of JSON quotes."""
    return _IDS[connection.vendor](sql)


def stream(
    connection: BaseDatabaseWrapper, sql: str, parameters: Mapping[str, Any]
) -> Iterator[Sequence[bytes | None]]:
    """Run a query with named parameters (`%(name)s`) and give its rows one by one, each column as text.

    Memory does not grow with their number. Leaving early ends the query. Until the end, or until it is left,
    the thread's connection serves nothing else: see `leave_stream`.
    """
    leave_stream()
    rows = _STREAMS[connection.vendor](connection, sql, parameters)
    _of_this_thread.rows = weakref.ref(rows)
    return rows


def leave_stream(**_signal: Any) -> None:
    """Leave what an earlier request of this thread has not read to its end. Called before each request.

    A server that forgets to close an answer whose client has gone would leave the connection, and with it the
    thread, waiting for ever.
    """
    rows = getattr(_of_this_thread, "rows", lambda: None)()
    if rows is not None and rows.gi_frame is not None:
        log.warning("an answer was neither read to its end nor closed; its query is ended now")
        rows.close()


# --- PostgreSQL -----------------------------------------------------------------------------------


def _postgresql_moment(sql: str) -> str:
    text = f"""to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return f"replace({text}, '.000000Z', 'Z')"


def _postgresql_value(member: Member) -> str:
    if member.kind is Kind.MOMENT:
        return _postgresql_moment(member.sql)
    return _postgresql_row(member.members, member.sql) if member.kind is Kind.ROW else member.sql


def _postgresql_row(members: Sequence[Member], source: str, cast: str = "") -> str:
    origin = f" FROM {source}" if source else ""
    return f"(SELECT row_to_json(d){cast} FROM (SELECT {_postgresql_columns(members)}{origin}) d)"


def _postgresql_columns(members: Sequence[Member]) -> str:
    return ", ".join(f'{_postgresql_value(member)} AS "{member.name}"' for member in members)


def _postgresql_object(members: Sequence[Member], source: str) -> str:
    return _postgresql_row(members, source, "::text")


def _copied(
    connection: BaseDatabaseWrapper, sql: str, parameters: Mapping[str, Any]
) -> Generator[Sequence[bytes | None]]:
    """COPY in text format (https://www.postgresql.org/docs/current/sql-copy.html): half the time of a SELECT.

    JSON text has no control characters, so that the only escapes are doubled backslashes.
    """
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY ({sql}) TO STDOUT", parameters) as copy,
    ):
        # The protocol's library gives whole rows, one at a time.
        for block in copy:
            row = bytes(block)
            texts = row[:-1].split(b"\t")
            if b"\\" not in row:
                yield texts
            else:
                yield [None if text == rb"\N" else text.replace(rb"\\", b"\\") for text in texts]


# --- SQLite ---------------------------------------------------------------------------------------


def _sqlite_moment(sql: str) -> str:
    return f"replace({sql}, ' ', 'T') || 'Z'"


def _sqlite_id(sql: str) -> str:
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({sql}, {start}, {length})" for start, length in parts)


def _sqlite_value(member: Member) -> str:
    sql = member.sql
    if member.kind is Kind.BOOLEAN:
        return f"CASE {sql} WHEN 1 THEN json('true') WHEN 0 THEN json('false') END"
    if member.kind is Kind.REAL:
        # The fewest digits that give the same number back, as the API has them; by itself SQLite keeps 15.
        texts = [f"printf('%%!.{digits}g', {sql})" for digits in (15, 16, 17)]
        tries = " ".join(f"WHEN CAST({text} AS REAL) = {sql} THEN json({text})" for text in texts)
        return f"CASE {tries} END"
    if member.kind is Kind.JSON:
        return f"json({sql})"
    if member.kind is Kind.ROW:
        # What comes out of a subquery is text again, until it is told to be JSON.
        return f"json({_sqlite_object(member.members, sql)})"
    return {Kind.ID: _sqlite_id, Kind.MOMENT: _sqlite_moment}.get(member.kind, str)(sql)


def _sqlite_object(members: Sequence[Member], source: str) -> str:
    parts = ", ".join(f"'{member.name}', {_sqlite_value(member)}" for member in members)
    return f"(SELECT json_object({parts}) FROM {source})" if source else f"json_object({parts})"


# An escape of JSON: of a pair of surrogates, of one letter, or any other.
_ESCAPE: Final = re.compile(
    r"\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|u([0-9a-f]{4})|.)", re.IGNORECASE
)


def unescaped(text: str) -> str:
    """JSON text with its letters readable, as the API writes them: JSON columns are stored with escapes.

    What JSON has to escape stays, and so does half of a surrogate pair, which UTF-8 cannot write.
    """
    return _ESCAPE.sub(_letter, text) if "\\u" in text else text


def _letter(escape: re.Match[str]) -> str:
    high, low, one = escape.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    letter = chr(int(one, 16)) if one else "\\"
    return letter if letter > "\x9f" and not "\ud800" <= letter <= "\udfff" else escape[0]


def _fetched(
    connection: BaseDatabaseWrapper, sql: str, parameters: Mapping[str, Any]
) -> Generator[Sequence[bytes | None]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(50):
            for row in rows:
                yield tuple(
                    None if value is None else unescaped(str(value)).encode() for value in row
                )


_OBJECTS: Final[Mapping[str, Callable[[Sequence[Member], str], str]]] = {
    "postgresql": _postgresql_object,
    "sqlite": _sqlite_object,
}
_MOMENTS: Final[Mapping[str, Callable[[str], str]]] = {
    "postgresql": _postgresql_moment,
    "sqlite": _sqlite_moment,
}
_PLACES: Final[Mapping[str, str]] = {"postgresql": "ctid", "sqlite": "rowid"}
_IDS: Final[Mapping[str, Callable[[str], str]]] = {"postgresql": str, "sqlite": _sqlite_id}
_STREAMS: Final[Mapping[str, Callable[..., Generator[Sequence[bytes | None]]]]] = {
    "postgresql": _copied,
    "sqlite": _fetched,
}
