"""With a hundred thousand entries, PostgreSQL reads lists through indexes: the plans, as the API asks."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.plans import Plan, explained, rows_read, scans_of

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql_only]

ENTRIES = 120_000
# Counting stops at 10,001 matches; every other row may match.
FEW_ROWS = 25_000

FILL = """
INSERT INTO audit_auditentry (id, action, entity_type, entity_id, city_id, actor_id, request_id, occurred_at)
SELECT gen_random_uuid(),
  CASE WHEN n %% 20000 = 7 THEN 'role' WHEN n %% 50 = 0 THEN 'login' WHEN n %% 3 = 0 THEN 'create'
    ELSE 'update' END,
  (ARRAY['visit', 'customer', 'object', 'unit'])[1 + n %% 4], md5((n %% 5000)::text)::uuid,
  -- Kazan is a small town: twenty entries. Sergei works a lot, nearly always in Moscow.
  CASE WHEN n %% 6000 = 1 THEN %(kazan)s WHEN n %% 10000 = 2 THEN NULL ELSE %(moscow)s END::uuid,
  CASE WHEN n %% 10 < 5 THEN %(sergei)s ELSE %(ivan)s END::uuid,
  md5(n::text), now() - n * interval '5 minutes'
FROM generate_series(1, %(entries)s) AS n
"""


@pytest.fixture
def big(cast: Cast) -> Cast:
    people = {"sergei": cast.sergei.pk, "ivan": cast.ivan.pk}
    places = {"kazan": cast.kazan.pk, "moscow": cast.moscow.pk}
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"entries": ENTRIES, **people, **places})
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ANALYZE audit_auditentry")
    return cast


def plans_of(cast: Cast, name: str, query: str) -> list[Plan]:
    """The plan of each query that the request makes on the trail."""
    api = cast.api(getattr(cast, name))
    with CaptureQueriesContext(connection) as captured:
        answer = api.get(f"/api/v1/audit{query}")
    assert answer.status_code == 200, answer.json()
    asked = [q["sql"] for q in captured if re.search(r'FROM .*"audit_auditentry"', q["sql"])]
    assert asked
    return [explained(sql) for sql in asked if not sql.startswith("EXPLAIN")]


def read_of(plan: Plan) -> int:
    """Rows that the query touched."""
    return rows_read(scans_of(plan))


LISTS = [
    ("anna", ""), ("sergei", ""), ("olga", ""),
    ("anna", "?cursor="), ("sergei", "?cursor="), ("olga", "?cursor="),
    ("sergei", "?cursor=&sort=-occurred_at"),
    ("anna", "?action=role"), ("sergei", "?action=role"), ("olga", "?action=role"),
    ("anna", "?request_id=c4ca4238a0b923820dcc509a6f75849b"),
    ("sergei", "?request_id=c4ca4238a0b923820dcc509a6f75849b"),
    ("anna", "?entity_type=visit&entity_id=c4ca4238-a0b9-2382-0dcc-509a6f75849b"),
    ("sergei", "?entity_type=visits&entity_id=c4ca4238-a0b9-2382-0dcc-509a6f75849b"),
    ("anna", "?actor_id={ivan}"), ("sergei", "?actor_id={ivan}"), ("olga", "?actor_id={ivan}"),
    ("anna", "?since=2020-01-01&until=2020-02-01"), ("sergei", "?until=2020-01-01"),
]  # fmt: skip


def one_of_moscow() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id FROM audit_auditentry e JOIN territory_city c ON c.id = e.city_id"
            " WHERE c.name = 'Москва' LIMIT 1"
        )
        return str(cursor.fetchone()[0])


def test_lists_and_details_are_read_through_indexes(big: Cast) -> None:
    for name, query in LISTS:
        for plan in plans_of(big, name, query.format(ivan=big.ivan.pk)):
            counting = any(node["Node Type"] == "Aggregate" for node in plan)
            kinds = [node["Node Type"] for node in plan]
            # Counting up to 10,000 of everything may read them from the start of the table.
            assert counting or "Seq Scan" not in kinds, (name, query, kinds)
            limit = FEW_ROWS if counting else 1_500
            assert read_of(plan) <= limit, (name, query, read_of(plan), kinds)
    for name in ("anna", "sergei"):
        plan = plans_of(big, name, f"/{one_of_moscow()}")[-1]
        assert read_of(plan) <= 4
        assert "Seq Scan" not in [node["Node Type"] for node in plan]
