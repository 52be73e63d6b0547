"""With a hundred thousand visits a page of the feed reads about what it tells, and its index stays small."""

from typing import Any

import pytest
from django.db import connection

from crm.users.models import User
from sync.cursors import Cursor, scope_of
from sync.entities import ENTITIES
from sync.epoch import current_epoch
from sync.feed_sql import PageStatement
from tests.cast import Cast
from tests.filled import HANGING, OBJECTS, fill
from tests.plans import Plan, explained, rows_read, scans_of, told

pytestmark = [pytest.mark.postgresql_only]

LIMIT = 1000
WAYS = len(ENTITIES)
# What a page tells is read twice: its key, then its row. Of a city every other row is read in vain. Of a
# district (a fiftieth of the company) a phone that begins reads two tables to their end, since here that
# costs less than looking for what hangs on each of its objects; from some hundred thousand rows on it does
# not.
MOST = {"anna": 3 * LIMIT, "sergei": 6 * LIMIT, "ivan": 15 * LIMIT}
BEGINNING = {**MOST, "ivan": 2 * HANGING + 10 * LIMIT}


@pytest.fixture
def big(transactional_db: None, cast: Cast) -> Cast:
    fill(cast)
    return cast


def scans_for(user: User, **place: Any) -> Plan:
    """What one page of 1,000 rows reads."""
    names = tuple(entity.name for entity in ENTITIES)
    cursor = Cursor(current_epoch().name, user.pk, scope_of(user), names, **place)
    page = PageStatement(connection, user, cursor, ENTITIES, limit=LIMIT + 1, deletions=bool(place))
    with connection.cursor() as asking:
        asking.execute("SET random_page_cost = 1.1")
    return scans_of(explained(page.sql(), page.parameters))


def test_a_page_reads_about_what_it_tells(big: Cast) -> None:
    with connection.cursor() as asking:
        asking.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        horizon: int = asking.fetchone()[0]
    middle, end = HANGING // 200, HANGING // 100 + 10
    for name in ("anna", "sergei", "ivan"):
        user: User = getattr(big, name)
        for place in ({}, {"position": middle, "start": horizon}, {"position": middle, "start": 1}):
            scans = scans_for(user, **place)
            most = MOST[name] if place else BEGINNING[name]
            assert rows_read(scans) <= most, (
                name,
                place,
                rows_read(scans),
                told(scans, "Actual Loops"),
            )
        # Nothing new: what the ledger and the territory hold is not even looked at.
        scans = scans_for(user, position=end, start=1)
        assert rows_read(scans) <= WAYS * 10, (name, rows_read(scans), told(scans, "Actual Loops"))


def test_the_index_stays_small_while_rows_move_to_the_end(big: Cast) -> None:
    """Every record is written twice over, in turn; autovacuum's part is played by a VACUUM of its."""

    def size() -> int:
        with connection.cursor() as asking:
            asking.execute("SELECT pg_relation_size('objects_object_feed')")
            return int(asking.fetchone()[0])

    with connection.cursor() as asking:
        asking.execute("SET session_replication_role = replica")
        asking.execute("REINDEX INDEX objects_object_feed")
        fresh = size()
        for turn in range(100):
            # A fiftieth, which is when autovacuum comes (0007_storage).
            asking.execute(
                "UPDATE objects_object SET feed_position = 100000 + %s WHERE id IN"
                " (SELECT id FROM objects_object ORDER BY feed_position, id LIMIT %s)",
                [turn, OBJECTS // 50],
            )
            asking.execute("VACUUM (INDEX_CLEANUP ON) objects_object")
        asking.execute("SET session_replication_role = DEFAULT")
    assert size() < 1.5 * fresh, (size(), fresh)
