"""Tables with many rows, and the plans by which PostgreSQL reads them for a page, as it was asked."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import plans
from tests.cast import Cast

OBJECTS, VISITS = 60_000, 180_000
UNITS, CUSTOMERS, ENTRIES = 80_000, 80_000, 200_000
BIG = ("objects_object", "objects_unit", "clients_customer", "visits_visit", "audit_auditentry")
MOST = 15
# A page of rows with all that it tells of each. Counting stops at 10,001, of which a status and a city leave
# every third; beside them it may read the ids of the city's objects from their index.
FEW_ROWS, COUNTED = 2_500, 4 * 10_001 + OBJECTS // 2
NUMBERS = {
    "objects": OBJECTS, "visits": VISITS, "units": UNITS, "customers": CUSTOMERS, "entries": ENTRIES,
}  # fmt: skip
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
# Of some objects, several of one.
FILL_UNITS = """
INSERT INTO objects_unit (id, object_id, unit_number, floor, attributes, search_text, field_versions,
  feed_position, updated_at)
SELECT md5('unit' || n)::uuid, md5('object' || (1 + n * 7919::bigint %% %(objects)s))::uuid, n, n %% 9, '{}',
  ' ', '{}', n, now() - n * interval '1 minute'
FROM generate_series(1, %(units)s) AS n
"""
FILL_CUSTOMERS = """
INSERT INTO clients_customer (id, object_id, unit_id, full_name, phone, provider_rating, satisfied, interests,
  gdpr_consent, search_text, field_versions, feed_position, updated_at, notes)
SELECT md5('customer' || n)::uuid, md5('object' || (1 + n * 7919::bigint %% %(objects)s))::uuid,
  md5('unit' || n)::uuid, 'Иванова Мария Петровна ' || n, '+79' || lpad(n::text, 9, '0'),
  CASE WHEN n %% 3 = 0 THEN 1 + n %% 5 END, CASE WHEN n %% 4 = 0 THEN n %% 8 = 0 END,
  CASE WHEN n %% 6 = 0 THEN '["CCTV"]'::jsonb ELSE '["INTERNET", "TV"]' END, n %% 2 = 0,
  ' иванова мария петровна ' || n || ' г москва ул большая проверочная д ' || n ||
    ' #79' || lpad(n::text, 9, '0') || ' ',
  '{"phone": 1}', n, now() - n * interval '1 minute', 'Просили позвонить вечером, после семи, лучше в пятницу'
FROM generate_series(1, %(customers)s) AS n
"""
FILL_ENTRIES = """
INSERT INTO audit_auditentry (id, action, entity_type, entity_id, version, city_id, actor_name, actor_id,
  before_json, after_json, occurred_at)
SELECT md5('entry' || n)::uuid,
  CASE WHEN n %% 1000 = 0 THEN 'delete' WHEN n %% 2 = 0 THEN 'update' ELSE 'create' END,
  (ARRAY['object', 'visit', 'customer'])[1 + n %% 3], md5('object' || (1 + n %% %(objects)s))::uuid, 1,
  CASE WHEN n %% 2 = 0 THEN %(kazan)s ELSE %(moscow)s END::uuid, 'Иван Центров', %(ivan)s,
  '{"status": "NEW"}', '{"status": "DONE"}', now() - n * interval '1 minute'
FROM generate_series(1, %(entries)s) AS n
"""


FILLS = dict(
    zip(BIG, (FILL_OBJECTS, FILL_UNITS, FILL_CUSTOMERS, FILL_VISITS, FILL_ENTRIES), strict=True)
)


def fill(cast: Cast, *tables: str) -> None:
    """Many rows in those tables, the objects first."""
    values = {
        "kazan": cast.kazan.pk, "moscow": cast.moscow.pk, "ivan": cast.ivan.pk, "timur": cast.timur.pk,
        **NUMBERS,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            cursor.execute(FILLS[table], values)
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        # As in tests/objects/test_map_plans.py: an index alone answers for pages known to hold no old rows.
        # The first VACUUM's own commit would keep the second from knowing that its rows are on disk.
        for table in tables:
            cursor.execute("CHECKPOINT")
            cursor.execute(f"VACUUM ANALYZE {table}")


def plans_of(client: Client, path: str) -> list[plans.Plan]:
    """The plan of each query of the page that concerns a big table."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200, path
    assert len(captured) <= MOST, path
    return [plans.explained(sql) for sql in plans.asked_of(captured, BIG)]


def scans_of(plan: plans.Plan) -> plans.Plan:
    """The nodes that read a big table."""
    return plans.scans_of(plan, BIG)


def rows_read(plan: plans.Plan) -> int:
    """Rows of big tables that the query touched."""
    return plans.rows_read(scans_of(plan))


def told(plan: plans.Plan) -> list[tuple[Any, ...]]:
    """What a failed test says of it."""
    return plans.told(scans_of(plan), "Heap Fetches")
