"""With many rows PostgreSQL reads home, visits and call-backs through indexes: the plans, as asked."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.backoffice import keeping
from tests.cast import Cast
from tests.office.desk import desk

pytestmark = [pytest.mark.postgresql_only]

OBJECTS, VISITS = 60_000, 180_000
BIG = ("objects_object", "visits_visit")
MOST = 15
# A page of rows with all that it tells of each. Counting stops at 10,001, of which a status and a city leave
# every third; beside them it may read the ids of the city's objects from their index.
FEW_ROWS, COUNTED = 2_500, 4 * 10_001 + OBJECTS // 2
# Past the triggers, which would take minutes; the columns are as wide as theirs.
FILL_OBJECTS = """
INSERT INTO objects_object (id, type, address, city_id, status, tags, responsible_user_id, visits_count,
  search_text, field_versions, feed_position, updated_at)
SELECT md5('object' || n)::uuid, (ARRAY['MKD', 'CAFE', 'SCHOOL'])[1 + n %% 3],
  'г. Москва, ул. Большая Проверочная, д. ' || n || ', к. 1',
  CASE WHEN n %% 2 = 0 THEN %(kazan)s ELSE %(moscow)s END::uuid,
  (ARRAY['NEW', 'INTEREST', 'CALLBACK', 'REJECTED', 'DONE'])[1 + n %% 5], '[]',
  CASE WHEN n %% 3 = 0 THEN %(ivan)s END::uuid, 0,
  ' г москва ул большая проверочная д ' || n || ' к 1 москва ', '{"address": 1, "status": 2}', n,
  now() - n * interval '1 minute'
FROM generate_series(1, %(objects)s) AS n
"""
# A year of visits, a third of it to come; one finished visit of seven promised a call, long ago or soon.
FILL_VISITS = """
INSERT INTO visits_visit (id, object_id, engineer_id, status, interests, scheduled_at, started_at,
  finished_at, outcome_text, next_action_due_at, search_text, field_versions, feed_position)
SELECT md5('visit' || n)::uuid, md5('object' || (1 + n * 7919::bigint %% %(objects)s))::uuid,
  CASE WHEN n %% 40 = 0 THEN %(ivan)s ELSE %(timur)s END::uuid,
  CASE WHEN past AND n %% 5 <> 0 THEN 'DONE' WHEN n %% 35 = 0 THEN 'CANCELLED' ELSE 'PLANNED' END, '[]', day,
  CASE WHEN past AND n %% 5 <> 0 THEN day END, CASE WHEN past AND n %% 5 <> 0 THEN day END,
  CASE WHEN past AND n %% 5 <> 0 THEN 'Поговорили, обещали подумать и перезвонить после праздников' END,
  CASE WHEN past AND n %% 7 = 1 AND n %% 5 <> 0 THEN day + interval '60 days' END,
  ' г москва ул большая проверочная д ' || n || ' иван центров ', '{"status": 2}', n
FROM (
  SELECT n, now() - interval '240 days' + n * interval '3 minutes' AS day,
    now() - interval '240 days' + n * interval '3 minutes' < now() AS past
  FROM generate_series(1, %(visits)s) AS n
) AS made
"""


@pytest.fixture
def big(transactional_db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    places = {"kazan": cast.kazan.pk, "moscow": cast.moscow.pk}
    people = {"ivan": cast.ivan.pk, "timur": cast.timur.pk}
    with connection.cursor() as cursor:
        for table, sql in zip(BIG, (FILL_OBJECTS, FILL_VISITS), strict=True):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(sql, {**places, **people, "objects": OBJECTS, "visits": VISITS})
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        # As in tests/objects/test_map_plans.py: an index alone answers for pages known to hold no old rows.
        # The first VACUUM's own commit would keep the second from knowing that its rows are on disk.
        for table in BIG:
            cursor.execute("CHECKPOINT")
            cursor.execute(f"VACUUM ANALYZE {table}")
    monkeypatch.setattr(keeping, "CHEAP", float("inf"))
    return cast


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


def plans_of(client: Client, path: str) -> list[list[dict[str, Any]]]:
    """The nodes, as run, of each query of the page that concerns a big table."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200, path
    assert len(captured) <= MOST, path
    found = []
    for query in captured.captured_queries:
        sql = query["sql"]
        if sql.startswith("EXPLAIN") or not any(f'"{table}"' in sql for table in BIG):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"), [])
            plan = cursor.fetchone()[0]
        found.append(nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
    return found


def scans_of(plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [node for node in plan if node.get("Relation Name") in BIG]


def rows_read(plan: list[dict[str, Any]]) -> int:
    """Rows that the plan's scans touched, those that it threw away included."""
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in scans_of(plan)
    )


def told(plan: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("Node Type", "Index Name", "Actual Rows", "Rows Removed by Filter", "Heap Fetches")
    return [tuple(node.get(name) for name in names) for node in scans_of(plan)]


VISITS_LIST, CALLS = "/admin/visits/visit/", "/admin/call-backs/"
LISTS = [
    VISITS_LIST,
    *(
        f"{VISITS_LIST}?{query}"
        for query in (
            "o=1", "o=-1", "o=7", "when=today", "when=tomorrow", "when=week", "when=missed",
            "status=DONE", "status=CANCELLED", "status=OPEN", "engineer={ivan}",
            "engineer={ivan}&status=OPEN&day_from=2020-01-01&day_to=2020-02-01",
            "day_from=2020-01-01&day_to=2020-01-01", "object={object}", "callback=overdue", "callback=coming",
        )
    ),
    CALLS, f"{CALLS}?when=overdue", f"{CALLS}?when=today", f"{CALLS}?when=all",
]  # fmt: skip


def test_the_home_page_counts_in_indexes_alone(big: Cast) -> None:
    for user in (big.anna, big.sergei):
        plans = plans_of(desk(user), "/admin/")
        assert len(plans) >= 5
        for plan in plans:
            for node in scans_of(plan):
                assert node["Node Type"] == "Index Only Scan", (user.email, told(plan))
                assert node["Heap Fetches"] == 0, (user.email, told(plan))


def test_lists_are_read_through_indexes(big: Cast) -> None:
    given = {"ivan": big.ivan.pk, "object": "f1a4a3e6-5ac4-4b5e-a1e6-5ac44b5e0000"}
    for user in (big.anna, big.sergei):
        client = desk(user)
        for path in LISTS:
            for plan in plans_of(client, path.format(**given)):
                counting = any(node["Node Type"] == "Aggregate" for node in plan)
                kinds = [node["Node Type"] for node in scans_of(plan)]
                # Counting up to 10,000 of everything may read them from the start of the table.
                assert counting or "Seq Scan" not in kinds, (user.email, path, told(plan))
                most = COUNTED if counting else FEW_ROWS
                assert rows_read(plan) <= most, (user.email, path, rows_read(plan), told(plan))
