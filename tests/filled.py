"""A company big enough for the planner to think: made by SQL, past the triggers, which would take minutes."""

from typing import Any

from django.db import connection

from tests.cast import Cast

OBJECTS, HANGING, LEDGER = 50_000, 100_000, 500
TABLES = (
    "objects_object", "objects_unit", "clients_customer", "visits_visit", "objects_objectaccess",
)  # fmt: skip
# Every other object in Kazan; of Moscow's, one in fifty in Ivan's district.
FILL = """
INSERT INTO objects_object (id, type, address, city_id, district_id, status, tags, responsible_user_id,
  visits_count, search_text, field_versions, feed_position, updated_at)
SELECT md5('object' || n)::uuid, (ARRAY['MKD', 'CAFE', 'SCHOOL'])[1 + n %% 3],
  'г. Москва, ул. Большая Проверочная, д. ' || n || ', к. 1',
  CASE WHEN n %% 2 = 0 THEN %(kazan)s ELSE %(moscow)s END::uuid,
  CASE WHEN n %% 2 = 0 THEN NULL WHEN n %% 50 = 1 THEN %(centre)s ELSE %(north)s END::uuid,
  (ARRAY['NEW', 'INTEREST', 'CALLBACK', 'REJECTED', 'DONE'])[1 + n %% 5], '[]',
  CASE WHEN n %% 100 = 0 THEN %(timur)s END::uuid, 0,
  ' г москва ул большая проверочная д ' || n || ' к 1 москва ', '{}', n / 100 + 3,
  now() - n * interval '1 minute'
FROM generate_series(1, %(objects)s) AS n;
INSERT INTO objects_unit (id, object_id, unit_number, attributes, search_text, field_versions, feed_position,
  updated_at)
SELECT md5('unit' || n)::uuid, md5('object' || (1 + n %% %(objects)s))::uuid, n::text, '{}',
  ' ' || n || ' ', '{}', n / 100 + 3, now() - n * interval '1 minute'
FROM generate_series(1, %(hanging)s) AS n;
INSERT INTO clients_customer (id, object_id, full_name, phone, interests, gdpr_consent, search_text,
  field_versions, feed_position, updated_at)
SELECT md5('customer' || n)::uuid, md5('object' || (1 + n %% %(objects)s))::uuid, 'Житель ' || n,
  '+7944' || lpad(n::text, 7, '0'), '["TV"]', true, ' житель ' || n || ' ', '{}', n / 100 + 3,
  now() - n * interval '1 minute'
FROM generate_series(1, %(hanging)s) AS n;
INSERT INTO visits_visit (id, object_id, engineer_id, status, interests, scheduled_at, search_text,
  field_versions, feed_position, updated_at)
SELECT md5('visit' || n)::uuid, md5('object' || (1 + n::bigint * 7919 %% %(objects)s))::uuid,
  CASE WHEN n %% 200 = 0 THEN %(ivan)s ELSE %(timur)s END::uuid,
  (ARRAY['PLANNED', 'IN_PROGRESS', 'CANCELLED'])[1 + n %% 3], '[]',
  now() - interval '240 days' + n * interval '3 minutes', ' иван центров ', '{}', n / 100 + 3,
  now() - n * interval '1 minute'
FROM generate_series(1, %(hanging)s) AS n;
INSERT INTO objects_objectaccess (user_id, object_id, live_visits, responsible, feed_position)
SELECT %(ivan)s, md5('object' || n * 64)::uuid, 1, false, n + 3 FROM generate_series(1, %(ledger)s) AS n;
"""


def fill(cast: Cast) -> None:
    """50,000 objects, 100,000 each of units, customers and visits; Ivan has visits at 500 objects."""
    given: dict[str, Any] = {
        "kazan": cast.kazan.pk, "moscow": cast.moscow.pk, "centre": cast.centre.pk, "north": cast.north.pk,
        "ivan": cast.ivan.pk, "timur": cast.timur.pk,
        "objects": OBJECTS, "hanging": HANGING, "ledger": LEDGER,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(FILL, given)
        cursor.execute("SET session_replication_role = origin")
        # Positions are numbers of transactions, which must have been.
        for _ in range(HANGING // 100 + 10):
            cursor.execute("SELECT pg_current_xact_id()")
        # An index alone answers for pages known to hold no old rows; see tests/objects/test_map_plans.py.
        for table in TABLES:
            cursor.execute("CHECKPOINT")
            cursor.execute(f"VACUUM ANALYZE {table}")
