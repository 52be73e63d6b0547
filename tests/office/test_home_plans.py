"""With many rows PostgreSQL reads home, visits and call-backs through indexes: the plans, as asked."""

import pytest

from crm.backoffice import keeping
from tests.cast import Cast
from tests.office.crowd import COUNTED, FEW_ROWS, fill, plans_of, rows_read, scans_of, told
from tests.office.desk import desk

pytestmark = [pytest.mark.postgresql_only]


@pytest.fixture
def big(transactional_db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    fill(cast, *FILLED)
    monkeypatch.setattr(keeping, "CHEAP", float("inf"))
    return cast


FILLED = ("objects_object", "visits_visit")
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
                # The other tables are empty, and may be read in any way.
                filled = [node for node in scans_of(plan) if node["Relation Name"] in FILLED]
                kinds = [node["Node Type"] for node in filled]
                # Counting up to 10,000 of everything may read them from the start of the table.
                assert counting or "Seq Scan" not in kinds, (user.email, path, told(plan))
                most = COUNTED if counting else FEW_ROWS
                assert rows_read(plan) <= most, (user.email, path, rows_read(plan), told(plan))
