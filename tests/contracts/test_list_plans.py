"""Over a hundred thousand visits PostgreSQL reads the API's lists and details through indexes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.api import kept_plans
from tests.cast import Cast
from tests.filled import HANGING, LEDGER, OBJECTS, TABLES, fill
from tests.plans import Plan, asked_of, explained, rows_read, scans_of, told

pytestmark = [pytest.mark.postgresql_only]

# A deep page with all that it tells of each row. Beside it, counting stops at 10,001 matches, of which a
# filter may leave every fifth.
FEW_ROWS, COUNTED = 4_500, 6 * 10_001
PATHS = [
    "objects", "objects?status=NEW", "objects?status=NEW,DONE&type=CAFE", "objects?sort=updated_at",
    "objects?sort=-last_visit_at", "objects?district_id={centre}", "objects?responsible_user_id={timur}",
    "objects?cursor=", "objects?q=проверочная 4711", "objects?bbox=37,55,38,56", "objects?page=100",
    "units", "units?object_id={object}", "units?cursor=",
    "customers", "customers?object_id={object}", "customers?phone=%2B79440004711", "customers?cursor=",
    "customers?q=житель 4711", "customers?interests=CCTV",
    "visits", "visits?status=PLANNED", "visits?engineer_id={ivan}", "visits?object_id={object}",
    "visits?date_from=2020-01-01&date_to=2020-02-01", "visits?sort=scheduled_at", "visits?cursor=",
    "objects?bbox=10,10,11,11", "objects?tags=нетакого", "customers?interests=BABY_MONITOR",
    "visits/reminders", "objects/{object}", "visits/{visit}", "customers/{customer}", "units/{unit}",
]  # fmt: skip
# A word that nobody has, few have, only others have, nearly all have: the planner has no figures of it. It
# may gather all that match, and join them to the ids of a city's objects, but not walk along the list.
WORDS = [
    "objects?q=нетакого", "objects?q=4711", "objects?q=казань", "objects?q=проверочная",
    "objects?cursor=&q=4711", "units?q=нетакого",
    "customers?q=нетакого", "customers?q=казань", "customers?cursor=&q=4711",
    "visits?q=нетакого", "visits?q=казань", "visits?q=проверочная", "visits?cursor=&q=4711",
    "visits?sort=finished_at&q=4711",
]  # fmt: skip
# An engineer's rows are few, and are read as a whole: what hangs on the objects in territory and ledger.
IN_SIGHT = OBJECTS // 50 + LEDGER
ENGINEERS = 4 * IN_SIGHT
# At this size PostgreSQL rather reads a whole index, or narrow rows, than look for each of 1,500 objects and
# what hangs on them. From some hundred thousand rows on it does not; either way it costs no more than that.
WHOLE = {"units", "units?cursor=", "objects", "objects?sort=updated_at", "objects?page=100"}


@pytest.fixture
def big(transactional_db: None, cast: Cast) -> Cast:
    fill(cast)
    kept_plans.forget()
    return cast


def plans_of(cast: Cast, name: str, path: str) -> list[Plan]:
    """The plan of each query of the request that concerns a big table."""
    with CaptureQueriesContext(connection) as captured:
        answer = cast.api(getattr(cast, name)).get(f"/api/v1/{path}")
    assert answer.status_code in {200, 404}, (path, answer.json())
    return [explained(sql) for sql in asked_of(captured, TABLES)]


def read_of(plan: Plan) -> int:
    """Rows of big tables that the query touched."""
    return rows_read(scans_of(plan, TABLES))


def most(name: str, path: str, plan: Plan) -> int:
    """How many rows a query may read."""
    if any(node.get("Strategy") == "Plain" for node in plan) or path in WORDS:
        return COUNTED
    if name != "ivan":
        return FEW_ROWS
    return HANGING + ENGINEERS if path in WHOLE else ENGINEERS


def test_lists_and_details_are_read_through_indexes(big: Cast) -> None:
    with connection.cursor() as cursor:
        kinds = ("object", "unit", "customer", "visit")
        cursor.execute("SELECT " + ", ".join(f"md5('{kind}1')::uuid" for kind in kinds))
        ids = dict(zip(kinds, cursor.fetchone(), strict=True))
    given = {**ids, "centre": big.centre.pk, "timur": big.timur.pk, "ivan": big.ivan.pk}
    with connection.cursor() as cursor:
        # As on any disk that does not turn (docs/operations.md).
        cursor.execute("SET random_page_cost = 1.1")
    wrong = []
    for name in ("anna", "sergei", "ivan"):
        for path in (*PATHS, *WORDS):
            wrong += [
                (name, path, read_of(plan), told(scans_of(plan, TABLES), "Actual Loops"))
                for plan in plans_of(big, name, path.format(**given))
                if read_of(plan) > most(name, path, plan)
            ]
    assert not wrong, "\n".join(map(str, wrong))
