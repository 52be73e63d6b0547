"""Totals: counted up to a bound, beyond it estimated, and counted again as soon as anything is written."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from crm.api import pages
from crm.db import counting
from crm.db.counting import Matches
from crm.db.json_pages import json_rows
from objects.models import Object
from tests.cast import Cast


def counts(asked: CaptureQueriesContext) -> int:
    return sum("count(*)" in query["sql"].lower() for query in asked)


@pytest.fixture
def few(transactional_db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Five objects, and a bound of three; committed, as in production."""
    monkeypatch.setattr(pages, "EXACT_TOTAL", 3)
    counting._forget()
    for _ in range(5):
        cast.object()
    return cast


def test_a_total_is_right_after_every_write(few: Cast) -> None:
    api = few.api(few.sergei)
    path = "/api/v1/objects?limit=2"
    expected = 5
    for _ in range(3):
        body = api.get(path).json()
        assert body["total"] >= 4 if body.get("total_estimated") else body["total"] == expected
        exact = api.get(f"{path}&count=exact").json()
        assert exact["total"] == expected
        gone = exact["items"][0]["id"]
        assert few.api(few.anna).delete(f"/api/v1/objects/{gone}").status_code == 204
        expected -= 1
    body = api.get(path).json()
    assert (body["total"], body["has_next"], "total_estimated" in body) == (2, False, False)


def test_beyond_the_bound(few: Cast, engine: str) -> None:
    body = few.api(few.sergei).get("/api/v1/objects?limit=2").json()
    # SQLite has no planner to ask.
    assert body.get("total_estimated", False) == (engine == "postgresql")
    assert body["total"] >= 4


@pytest.mark.postgresql_only
def test_nothing_is_counted_twice_in_one_state(few: Cast) -> None:
    rows = Object.objects.all()
    matches = Matches(rows, 10)

    def state() -> str | None:
        return json_rows(rows[:1], lambda _: []).fetch()[0].state

    with CaptureQueriesContext(connection) as asked:
        assert [matches.total(state()) for _ in range(3)] == [(5, False)] * 3
    assert counts(asked) == 1
    # Anybody's commit ends it, of whatever table.
    few.moscow.save()
    with CaptureQueriesContext(connection) as asked:
        assert matches.total(state()) == (5, False)
    assert counts(asked) == 1
    few.object()
    assert matches.total(state()) == (6, False)
    # What was read without a state is counted.
    with CaptureQueriesContext(connection) as asked:
        assert matches.total(None) == (6, False)
    assert counts(asked) == 1


@pytest.mark.postgresql_only
def test_in_a_transaction_everything_is_counted(few: Cast) -> None:
    """One's own writes do not show in the state."""
    matches = Matches(Object.objects.all(), 10)
    state = json_rows(Object.objects.all()[:1], lambda _: []).fetch()[0].state
    assert matches.total(state) == (5, False)
    with transaction.atomic():
        few.object()
        assert matches.total(state) == (6, False)
    state = json_rows(Object.objects.all()[:1], lambda _: []).fetch()[0].state
    assert matches.total(state) == (6, False)


@pytest.mark.postgresql_only
def test_an_open_transaction_of_another_is_another_state(few: Cast) -> None:
    def state() -> str | None:
        return json_rows(Object.objects.all()[:1], lambda _: []).fetch()[0].state

    other = connection.copy()
    seen = [state()]
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE objects_object SET contact_name = 'x'")
        seen.append(state())
        cursor.execute("COMMIT")
        seen.append(state())
    other.close()
    assert seen[0] != seen[2] != seen[1]
    assert seen[2] == state()


def test_a_list_that_ends_here_is_not_counted(
    few: Cast, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "EXACT_TOTAL", 100)
    api = few.api(few.sergei)
    # PostgreSQL counts before it looks for words, to know how; never a second time.
    first = int(engine == "postgresql")
    for query, total, counted in (
        ("limit=5", 5, 0),
        ("limit=2&page=3", 5, 0),
        ("q=несуществующее", 0, first),
        ("q=д", 5, first),
    ):
        with CaptureQueriesContext(connection) as asked:
            assert api.get(f"/api/v1/objects?{query}").json()["total"] == total
        assert counts(asked) == counted, query
    beyond = api.get("/api/v1/objects?limit=2&page=4").json()
    assert (beyond["items"], beyond["total"], beyond["has_next"]) == ([], 5, False)
    far = api.get("/api/v1/objects?limit=1000&page=1000000000").json()
    assert (far["items"], far["total"], far["has_next"], far["has_prev"]) == ([], 5, False, True)
