"""The change feed's clock on both engines, and how a database says which life of it this is.

PostgreSQL stamps rows with the writing transaction's id, so a reader may go up to the oldest transaction that
still runs: below it nothing can appear any more
(https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT). SQLite has one writer;
whatever its counter says is committed.
"""

from typing import Final
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

# The first position that a reader must not touch yet. Only in the same statement as the rows is it right.
_HORIZONS: Final = {
    "postgresql": "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
    "sqlite": "(SELECT value + 1 FROM crm_feed_clock WHERE id = 1)",
}
# What a restored dump, a recovery to a point in time and a copied database do not share with the original.
_IDENTITY: Final = (
    "SELECT {system}, CASE WHEN pg_is_in_recovery() THEN ''"
    " ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,"
    " (SELECT oid::text FROM pg_database WHERE datname = current_database()),"
    " CAST(CAST(%s AS regclass) AS oid)::text"
)
# For how long the transaction that the horizon stands at is open; a two-phase commit outlives its session.
# No row: nobody holds it back. NULL: a session whose times this role may not see (pg_read_all_stats lets it).
_HELD_SINCE: Final = """
SELECT extract(epoch FROM clock_timestamp() - held.since)::float
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) bound
CROSS JOIN LATERAL (
    SELECT xact_start AS since FROM pg_stat_activity WHERE backend_xid = bound.xmin::xid
    UNION ALL
    SELECT prepared FROM pg_prepared_xacts WHERE transaction = bound.xmin::xid
) held"""
_MAY_ASK: Final = "SELECT has_function_privilege('pg_control_system()', 'execute')"


def horizon_sql(connection: BaseDatabaseWrapper) -> str:
    """An expression: every position below it is settled."""
    return _HORIZONS[connection.vendor]


def writing_position_sql(connection: BaseDatabaseWrapper) -> str:
    """An expression, for a writing transaction: the position of what it writes now."""
    return {
        "postgresql": "pg_current_xact_id()::text::bigint",
        "sqlite": "(SELECT value FROM crm_feed_clock WHERE id = 1)",
    }[connection.vendor]


def horizon_age(connection: BaseDatabaseWrapper) -> float | None:
    """For how many seconds, at most, the oldest open writer has held the horizon back; 0 when nobody does.

    None when this role may not know. On SQLite always 0.
    """
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute(_HELD_SINCE)
        row = cursor.fetchone()
    if row is None:
        return 0.0
    return None if row[0] is None else max(0.0, float(row[0]))


def identity_of(connection: BaseDatabaseWrapper, *, table: str) -> str:
    """Which cluster, timeline, database and `table` this is; empty on SQLite, which cannot tell.

    A role that may not ask for the cluster's identifier does without it.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_ASK)
        system = (
            "(SELECT system_identifier::text FROM pg_control_system())"
            if cursor.fetchone()[0]
            else "''"
        )
        cursor.execute(_IDENTITY.format(system=system), [table])
        return "/".join(cursor.fetchone())


def id_parameter(connection: BaseDatabaseWrapper, value: UUID | None) -> str | None:
    """An id as a parameter of plain SQL."""
    if value is None:
        return None
    return str(value) if connection.vendor == "postgresql" else value.hex
