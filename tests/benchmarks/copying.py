"""Demo data multiplied inside the database, past triggers and foreign keys: a million objects in minutes.

A copy's ids are the originals' with the copy's number at their end, so that what hangs together does so in
each copy. Copies are older than the originals by whole weeks: their visits are over, few of their promises
are open.
"""

from typing import Any, Final

TABLES: Final = (
    "objects_object", "objects_unit", "clients_customer", "visits_visit", "objects_objectaccess",
    "audit_auditentry",
)  # fmt: skip
# After so many weeks the copies begin anew, so that there are visits of every week of two years.
WEEKS: Final = 104
REFUSED: Final = 20_000
# The trail is copied so many times less often; it is the longest table even so.
ENTRIES: Final = 4


def stamped(column: str) -> str:
    """The id of the copy."""
    return f"(left({column}::text, 28) || lpad(to_hex(copy), 8, '0'))::uuid"


def earlier(column: str) -> str:
    """A moment of the copy."""
    return f"{column} - (1 + copy %% {WEEKS}) * interval '7 days'"


# Column → its value in a copy, where that is another one.
CHANGED: Final[dict[str, dict[str, str]]] = {
    "objects_object": {
        "id": stamped("id"),
        "address": "address || ', вл. ' || copy",
        "search_text": "search_text || 'вл ' || copy || ' '",
        "gps_lat": "gps_lat + (copy %% 17 - 8) * 0.002",
        "gps_lng": "gps_lng + (copy %% 19 - 9) * 0.003",
        "created_at": earlier("created_at"),
        "updated_at": f"{earlier('updated_at')} - copy * interval '1 second'",
        "last_visit_at": earlier("last_visit_at"),
        "feed_position": "feed_position + copy",
    },
    "objects_unit": {
        "id": stamped("id"),
        "object_id": stamped("object_id"),
        "updated_at": f"{earlier('updated_at')} - copy * interval '1 second'",
        "feed_position": "feed_position + copy",
    },
    "clients_customer": {
        "id": stamped("id"),
        "object_id": stamped("object_id"),
        "unit_id": stamped("unit_id"),
        "phone": "'+7' || lpad("
        "((right(phone, 10)::bigint + copy * 7919::bigint * 104729) %% 10000000000)::text, 10, '0')",
        "updated_at": f"{earlier('updated_at')} - copy * interval '1 second'",
        "last_interaction_at": earlier("last_interaction_at"),
        "feed_position": "feed_position + copy",
    },
    "visits_visit": {
        "id": stamped("id"),
        "object_id": stamped("object_id"),
        "unit_id": stamped("unit_id"),
        "customer_id": stamped("customer_id"),
        "status": "CASE WHEN status IN ('PLANNED', 'IN_PROGRESS') AND copy %% 50 <> 0"
        " THEN 'DONE' ELSE status END",
        "outcome_text": "coalesce(outcome_text, 'Поговорили, всё в порядке')",
        "scheduled_at": earlier("scheduled_at"),
        "started_at": earlier("coalesce(started_at, scheduled_at)"),
        "finished_at": earlier("coalesce(finished_at, scheduled_at)"),
        "next_action_due_at": f"CASE WHEN copy %% 20 = 0 THEN {earlier('next_action_due_at')} END",
        "updated_at": f"{earlier('updated_at')} - copy * interval '1 second'",
        "feed_position": "feed_position + copy",
    },
    "objects_objectaccess": {"object_id": stamped("object_id")},
    "audit_auditentry": {
        "id": stamped("id"),
        "entity_id": stamped("entity_id"),
        "occurred_at": f"{earlier('occurred_at')} - copy * interval '1 second'",
    },
}
REFUSALS: Final = """
INSERT INTO sync_refuseditem (fingerprint, device, "table", record_id, item, status, error_code,
  message, created_at, refused_at, dealt_with_at, city_id, district_id, user_id)
SELECT md5(n::text), 'phone', 'objects', o.id, '{"payload": {"contact_name": "Пётр"}}', 'error', 'CONFLICT',
  '',
  now() - n * interval '9 minutes', now() - n * interval '9 minutes',
  CASE WHEN n %% 100 <> 0 THEN now() END,
  o.city_id, o.district_id, u.id
FROM (SELECT row_number() OVER () AS n, * FROM objects_object LIMIT %(refused)s) AS o
JOIN (
  SELECT row_number() OVER () - 1 AS m, count(*) OVER () AS people, id
  FROM users_user WHERE role = 'ENGINEER'
) AS u
  ON o.n %% u.people = u.m
"""


def indexes_of(cursor: Any, table: str) -> list[tuple[str, str]]:
    """Name and statement of the table's indexes that no constraint stands on."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)",
        [table],
    )
    return list(cursor.fetchall())


def copy_all(cursor: Any, *, copies: int) -> None:
    """Copy what there is, so many times, and make the indexes anew behind it: that is quicker."""
    for table in TABLES:
        indexes = indexes_of(cursor, table)
        for name, _made in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = %s AND (is_identity = 'NO' OR column_name <> 'id')",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
        values = [CHANGED[table].get(name, f'"{name}"') for name in columns]
        names = ", ".join(f'"{name}"' for name in columns)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)}"
            f" FROM generate_series(1, %s) AS copy, {table}",
            [copies // ENTRIES if table == "audit_auditentry" else copies],
        )
        for _name, made in indexes:
            cursor.execute(made)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    cursor.execute(REFUSALS, {"refused": REFUSED})
    # What autovacuum does in time: without it no scan stays inside an index.
    cursor.execute("CHECKPOINT")
    cursor.execute("VACUUM ANALYZE")
