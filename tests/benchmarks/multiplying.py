"""A big company out of a smaller one: its objects, with all that hangs on them, copied until they are enough.

PostgreSQL only. The copies lie in the same cities and districts and belong to the same people, and are as
good as written by hand: what the triggers keep is copied along, and feed positions go on where those of the
copy before ended. So whoever works there sees ever more: the hardest way to grow.
"""

from typing import Any, Final

# Parents first.
TABLES: Final = (
    "objects_object", "objects_unit", "clients_customer", "visits_visit", "objects_objectaccess",
)  # fmt: skip
IDS: Final = {"id", "object_id", "unit_id", "customer_id"}
MOMENTS: Final = {"updated_at", "scheduled_at", "created_at", "started_at", "finished_at"}
# Ids begin with a time in milliseconds: each copy lies half an hour after the one before.
APART_MS: Final = 2_000_000
# The codes of mobile numbers, from the demo's on; each copy has codes of its own.
FIRST_CODE, CODES, OTHER_CODES = 943, 33, 200


def multiply(objects: int) -> None:
    """Copy until there are so many objects."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM objects_object")
        (drawn,) = cursor.fetchone()
        if drawn >= objects:
            return
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SET synchronous_commit = off")
        indexes = dropped(cursor)
        first, last = positions(cursor)
        columns = {table: columns_of(cursor, table) for table in TABLES}
        for number in range(1, -(-objects // drawn)):
            for table in TABLES:
                copy(cursor, table, columns[table], number, number * (last - first + 1))
        # Positions are numbers of transactions: those that were given must have been.
        cursor.execute("SELECT max(feed_position) FROM objects_object")
        (used,) = cursor.fetchone()
        while True:
            cursor.execute("SELECT pg_current_xact_id()::text::bigint")
            if cursor.fetchone()[0] > used:
                break
        for index in indexes:
            cursor.execute(index)
        cursor.execute("SET session_replication_role = origin")


def dropped(cursor: Any) -> list[str]:
    """Drop the indexes that no constraint needs; the statements that make them again."""
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisunique",
        [list(TABLES)],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [made for _, made in found]


def positions(cursor: Any) -> tuple[int, int]:
    """The first and the last position that was drawn."""
    every = " UNION ALL ".join(f"SELECT feed_position AS p FROM {table}" for table in TABLES)
    cursor.execute(f"SELECT min(p), max(p) FROM ({every}) q WHERE p > 0")
    first, last = cursor.fetchone()
    return int(first), int(last)


def columns_of(cursor: Any, table: str) -> list[str]:
    """A table's columns but for a number that the database gives."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        " AND is_identity = 'NO' ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in cursor.fetchall()]


def copy(cursor: Any, table: str, columns: list[str], number: int, later: int) -> None:
    """One copy of what was drawn of a table. later: by how much its positions are."""
    values = {name: moved(name, number, later) for name in columns}
    # Only what was drawn: the copies before have later ids.
    key = "object_id" if table == "objects_objectaccess" else "id"
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(values[name] for name in columns)} FROM {table}"
        f" WHERE {key} < %s::uuid",
        [boundary()],
    )


def boundary() -> str:
    """The first id that no drawn record has."""
    from crm.territory.dictionary_data import FIXED_MOMENT_MS

    return f"{FIXED_MOMENT_MS + APART_MS:012x}" + "0" * 20


def moved(column: str, number: int, later: int) -> str:
    """The SQL of a column's value in a copy."""
    if column in IDS:
        digits = f"replace({column}::text, '-', '')"
        begins = f"('x' || substr({digits}, 1, 12))::bit(48)::bigint + {number * APART_MS}"
        return f"(lpad(to_hex({begins}), 12, '0') || substr({digits}, 13))::uuid"
    if column == "feed_position":
        return f"feed_position + {later}"
    if column in MOMENTS:
        return f"{column} - interval '{number * 7} minutes'"
    if column in {"phone", "contact_phone"}:
        code = f"substr({column}, 3, 3)::int - {FIRST_CODE} + {OTHER_CODES + number * CODES}"
        return f"'+7' || ({code}) || substr({column}, 6)"
    return column
