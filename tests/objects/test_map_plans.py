"""With a hundred thousand objects PostgreSQL reads the map from an index alone: the plans, as asked."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.plans import Plan, explained

pytestmark = [pytest.mark.postgresql_only]

OBJECTS = 100_000
URL = "/api/v1/objects/clusters"
# Past the triggers, which would take a minute; the columns are as wide as theirs.
FILL = """
INSERT INTO objects_object (id, type, address, city_id, district_id, gps_lat, gps_lng, status, tags,
  visits_count, search_text, field_versions, feed_position)
SELECT gen_random_uuid(), (ARRAY['MKD', 'CAFE', 'SCHOOL'])[1 + n %% 3],
  'г. Москва, ул. Большая Проверочная, д. ' || n || ', к. 1',
  CASE WHEN n %% 20 = 0 THEN %(kazan)s ELSE %(moscow)s END::uuid,
  CASE WHEN n %% 20 <> 0 AND n %% 50 = 1 THEN %(centre)s END::uuid,
  CASE WHEN n %% 20 = 0 THEN 55.79 ELSE 55.75 END + (n::bigint * 7919 %% 10007) / 50000.0 - 0.1,
  CASE WHEN n %% 20 = 0 THEN 49.12 ELSE 37.62 END + (n::bigint * 104729 %% 10009) / 25000.0 - 0.2,
  (ARRAY['NEW', 'INTEREST', 'CALLBACK', 'REJECTED', 'DONE'])[1 + n %% 5], '[]', 0,
  ' г москва ул большая проверочная д ' || n || ' к 1 москва ', '{"address": 1, "status": 2}', n
FROM generate_series(1, %(objects)s) AS n
"""
WORLD, MOSCOW, QUARTER, YARD = (
    "-180,-90,180,90", "37.5,55.7,37.7,55.8", "37.60,55.74,37.63,55.75", "37.600,55.750,37.604,55.7515",
)  # fmt: skip


@pytest.fixture
def big(transactional_db: None, cast: Cast) -> Cast:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE objects_object DISABLE TRIGGER USER")
        places = {"kazan": cast.kazan.pk, "moscow": cast.moscow.pk, "centre": cast.centre.pk}
        cursor.execute(FILL, {**places, "objects": OBJECTS})
        cursor.execute("ALTER TABLE objects_object ENABLE TRIGGER USER")
        # What autovacuum does in time: an index alone answers only for pages known to hold no old rows. The
        # throw-away server commits lazily, and what is not on disk yet is not known to last.
        cursor.execute("CHECKPOINT")
        cursor.execute("VACUUM ANALYZE objects_object")
    return cast


def plans_of(cast: Cast, name: str, query: dict[str, str]) -> list[Plan]:
    """The plan of each query on the objects."""
    api = cast.api(getattr(cast, name))
    with CaptureQueriesContext(connection) as captured:
        answer = api.get(URL, query)
    assert answer.status_code == 200, answer.json()
    found = []
    told = next(q["sql"] for q in captured if q["sql"].startswith("SET LOCAL"))
    asked = [q["sql"] for q in captured if 'FROM "objects_object"' in q["sql"]]
    for position, sql in enumerate(asked):
        with transaction.atomic(), connection.cursor() as cursor:
            if position == 0 or name == "ivan":
                cursor.execute(told)
            found.append(explained(sql))
    assert found
    return found


def kinds(plan: Plan) -> list[tuple[str, str]]:
    return [(node["Node Type"], node.get("Index Name", "")) for node in plan]


def test_the_map_is_read_from_indexes(big: Cast) -> None:
    for box, zoom in ((MOSCOW, "11"), (QUARTER, "15"), (YARD, "18")):
        for name in ("anna", "sergei", "olga", "ivan"):
            for more in ({}, {"status": "NEW,DONE"}, {"type": "CAFE"}, {"q": "проверочная 77"}):
                query = {"bbox": box, "zoom": zoom, **more}
                for plan in plans_of(big, name, query):
                    scans = [node for node in plan if node.get("Relation Name") == "objects_object"]
                    assert "Seq Scan" not in [s["Node Type"] for s in scans], (
                        name,
                        query,
                        [
                            (
                                n["Node Type"],
                                n.get("Index Name"),
                                n["Total Cost"],
                                n["Plan Rows"],
                                n["Actual Rows"],
                            )
                            for n in plan
                        ],
                    )
    # An administrator's count: no row of the table is looked at.
    for more in ({}, {"status": "NEW"}, {"type": "CAFE"}, {"city_id": str(big.moscow.pk)}):
        counting = plans_of(big, "anna", {"bbox": MOSCOW, "zoom": "11", **more})[0]
        (scan,) = [node for node in counting if "Index Name" in node]
        assert (scan["Node Type"], scan["Index Name"]) == ("Index Only Scan", "objects_object_map")
        assert scan["Heap Fetches"] == 0
    counting = plans_of(big, "anna", {"bbox": WORLD, "zoom": "3"})[0]
    assert ("Index Only Scan", "objects_object_map") in kinds(counting)
