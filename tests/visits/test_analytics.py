"""The figures, for each role by name, at a frozen moment: Monday 10 March 2025, 12:00 in Moscow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.users.models import User
from tests.cast import Cast

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 3, 10, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BASE = "/api/v1/analytics/"


@pytest.fixture(autouse=True)
def _frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def town(cast: Cast) -> Cast:
    """Work in Moscow's centre and north, and in Kazan."""
    centre = cast.object(status="INTEREST")
    cast.object(status="DONE")
    north = cast.object(district=cast.north, status="INTEREST")
    kazan = cast.object(city=cast.kazan, district=cast.vakhitovsky, status="NEW")
    cast.object(status="INTEREST", deleted_at=NOW)
    for parent in (centre, centre, north, kazan):
        cast.customer(parent)
    done = {"status": "DONE", "outcome_text": "Подключили"}
    cast.visit(centre, cast.ivan, scheduled_at=NOW - HOUR, **done)
    cast.visit(centre, cast.ivan, scheduled_at=NOW - 2 * DAY, next_action_due_at=NOW - HOUR)
    cast.visit(centre, cast.ivan, scheduled_at=NOW - 3 * DAY, status="CANCELLED")
    cast.visit(centre, cast.ivan, scheduled_at=NOW - 8 * DAY, next_action_due_at=NOW + HOUR, **done)
    cast.visit(centre, cast.ivan, scheduled_at=NOW + DAY)
    cast.visit(centre, cast.ivan, scheduled_at=NOW - HOUR, deleted_at=NOW)
    cast.visit(north, cast.pyotr, scheduled_at=NOW - 5 * HOUR, next_action_due_at=NOW - DAY)
    cast.visit(kazan, cast.timur, scheduled_at=NOW - HOUR, **done)
    return cast


def asked(cast: Cast, user: User, path: str, **parameters: Any) -> Any:
    answer = cast.api(user).get(f"{BASE}{path}", parameters)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_anna_sees_the_whole_company(town: Cast) -> None:
    assert asked(town, town.anna, "summary", period="week") == {
        "period": "week",
        "since": "2025-03-03T09:00:00Z",
        "objects_total": 4,
        "objects_in_work": 2,
        "objects_by_status": {"NEW": 1, "INTEREST": 2, "CALLBACK": 0, "REJECTED": 0, "DONE": 1},
        "customers_total": 4,
        "total_visits": 5,
        "completed_visits": 2,
        "completion_rate": 0.4,
        "visits_by_status": {"PLANNED": 2, "IN_PROGRESS": 0, "DONE": 2, "CANCELLED": 1},
        "callbacks_due": 3,
        "callbacks_overdue": 2,
    }


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("sergei", (3, 2, 3, 4, 1, 2)),
        ("olga", (1, 0, 1, 1, 1, 0)),
        ("ivan", (2, 1, 2, 3, 1, 1)),
        ("pyotr", (1, 1, 1, 1, 0, 1)),
        ("timur", (1, 0, 1, 1, 1, 0)),
    ],
)
def test_the_others_see_their_territory_and_engineers_their_own(
    town: Cast, name: str, figures: tuple[int, ...]
) -> None:
    found = asked(town, getattr(town, name), "summary", period="week")
    assert (
        found["objects_total"],
        found["objects_in_work"],
        found["customers_total"],
        found["total_visits"],
        found["completed_visits"],
        found["callbacks_overdue"],
    ) == figures


@pytest.mark.parametrize(("period", "total"), [("day", 1), ("week", 3), ("month", 4), ("year", 4)])
def test_periods_reach_back_and_never_ahead(town: Cast, period: str, total: int) -> None:
    assert asked(town, town.ivan, "summary", period=period)["total_visits"] == total


def test_the_period_is_a_week_unless_told(town: Cast) -> None:
    assert asked(town, town.anna, "summary") == asked(town, town.anna, "summary", period="week")


def test_one_city(town: Cast) -> None:
    kazan = asked(town, town.anna, "summary", city_id=str(town.kazan.pk))
    assert (kazan["objects_total"], kazan["customers_total"], kazan["total_visits"]) == (1, 1, 1)


def test_a_city_out_of_sight_is_refused_like_one_that_is_none(town: Cast) -> None:
    nowhere = "00000000-0000-7000-8000-000000000000"
    for path in ("summary", "objects/by-city", "engineers", "visits/daily"):
        for user in (town.sergei, town.ivan):
            api = town.api(user)
            refusals = [
                api.get(f"{BASE}{path}", {"city_id": city}) for city in (town.kazan.pk, nowhere)
            ]
            assert [refusal.status_code for refusal in refusals] == [422, 422]
            first, second = (refusal.json()["error"]["details"] for refusal in refusals)
            assert first == second
        assert (
            town.api(town.sergei).get(f"{BASE}{path}", {"city_id": town.moscow.pk}).status_code
            == 200
        )
    assert town.api(town.anna).get(f"{BASE}summary", {"city_id": nowhere}).status_code == 422


def test_an_engineer_may_ask_for_a_city_in_which_a_visit_shows_them_an_object(town: Cast) -> None:
    far = town.object(city=town.kazan)
    town.visit(far, town.ivan, scheduled_at=NOW - HOUR)
    kazan = asked(town, town.ivan, "summary", city_id=str(town.kazan.pk))
    assert (kazan["objects_total"], kazan["total_visits"]) == (1, 1)


def test_objects_by_city(town: Cast) -> None:
    moscow = {"city_id": str(town.moscow.pk), "city": "Москва", "total": 3, "in_work": 2}
    kazan = {"city_id": str(town.kazan.pk), "city": "Казань", "total": 1, "in_work": 0}
    assert asked(town, town.anna, "objects/by-city") == {"items": [kazan, moscow]}
    assert asked(town, town.sergei, "objects/by-city") == {"items": [moscow]}
    own = {**moscow, "total": 2, "in_work": 1}
    assert asked(town, town.ivan, "objects/by-city") == {"items": [own]}


def lines(cast: Cast, user: User, **parameters: Any) -> dict[str, tuple[Any, ...]]:
    items = asked(cast, user, "engineers", **parameters)["items"]
    assert [one["full_name"] for one in items] == sorted(one["full_name"] for one in items)
    return {
        one["full_name"].split()[0]: (
            one["total_visits"],
            one["completed_visits"],
            one["completion_rate"],
            one["callbacks_overdue"],
        )
        for one in items
    }


def test_engineers(town: Cast) -> None:
    ivan, pyotr, timur = (3, 1, 0.3333, 1), (1, 0, 0.0, 1), (1, 1, 1.0, 0)
    assert lines(town, town.anna) == {"Иван": ivan, "Пётр": pyotr, "Тимур": timur}
    assert lines(town, town.sergei) == {"Иван": ivan, "Пётр": pyotr}
    assert lines(town, town.olga) == {"Тимур": timur}
    assert lines(town, town.ivan) == {"Иван": ivan}
    assert lines(town, town.ivan, period="day") == {"Иван": (1, 1, 1.0, 1)}
    assert lines(town, town.anna, city_id=town.kazan.pk) == {"Тимур": timur}


def test_engineers_without_visits_and_from_elsewhere_are_listed(town: Cast) -> None:
    far = town.object(city=town.kazan)
    town.visit(far, town.pyotr, scheduled_at=NOW - HOUR)
    town.timur.visits.all()._raw_delete("default")
    assert lines(town, town.olga) == {"Пётр": (1, 0, 0.0, 0), "Тимур": (0, 0, 0.0, 0)}


def daily(cast: Cast, user: User, **parameters: Any) -> list[dict[str, Any]]:
    return list(asked(cast, user, "visits/daily", **parameters)["items"])


def test_every_day_is_there(town: Cast) -> None:
    week = daily(town, town.sergei, days=4)
    empty = {"planned": 0, "in_progress": 0, "completed": 0, "cancelled": 0, "total": 0}
    assert week == [
        {**empty, "date": "2025-03-07", "cancelled": 1, "total": 1},
        {**empty, "date": "2025-03-08", "planned": 1, "total": 1},
        {**empty, "date": "2025-03-09"},
        {**empty, "date": "2025-03-10", "planned": 1, "completed": 1, "total": 2},
    ]
    assert daily(town, town.sergei, date_from="2025-03-07", date_to="2025-03-10") == week
    assert sum(day["total"] for day in daily(town, town.ivan, days=4)) == 3
    assert len(daily(town, town.anna)) == 30
    assert len(daily(town, town.anna, period="year")) == 365
    assert daily(town, town.anna, period="day") == daily(town, town.anna, days=1)


def test_days_are_local(town: Cast) -> None:
    where = town.object()
    for hour, minute in ((20, 59), (21, 0)):
        moment = datetime(2024, 7, 1, hour, minute, tzinfo=UTC)
        town.visit(where, town.ivan, scheduled_at=moment)
    found = daily(town, town.ivan, date_from="2024-07-01", date_to="2024-07-02")
    assert [day["total"] for day in found] == [1, 1]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("summary?period=decade", "day, week, month, year"),
        ("summary?colour=red", "city_id, period"),
        ("summary?city_id=x", "id of a city"),
        ("engineers?days=3", "city_id, period"),
        ("objects/by-city?period=day", "city_id"),
        ("visits/daily?days=0", "366"),
        ("visits/daily?days=367", "366"),
        ("visits/daily?days=3&period=day", "either"),
        ("visits/daily?days=3&date_to=2025-03-01", "either"),
        ("visits/daily?date_from=2025-02-30", "YYYY-MM-DD"),
        ("visits/daily?date_from=0001-01-01", "YYYY-MM-DD"),
        ("visits/daily?date_from=2025-03-02&date_to=2025-03-01", "before"),
        ("visits/daily?date_from=2023-03-02&date_to=2025-03-01", "366"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(town: Cast, query: str, told: str) -> None:
    answer = town.api(town.anna).get(f"{BASE}{query}")
    assert answer.status_code == 422
    assert told in str(answer.json()["error"]["details"]["fields"])


@pytest.mark.parametrize("path", ["summary", "objects/by-city", "engineers", "visits/daily"])
@pytest.mark.parametrize("name", ["anna", "sergei", "ivan"])
def test_a_handful_of_queries_however_much_there_is(town: Cast, name: str, path: str) -> None:
    api = town.api(getattr(town, name))
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert api.get(f"{BASE}{path}", {"city_id": town.moscow.pk}).status_code == 200
    # One of them asks who is calling.
    assert len(captured) <= 5, [query["sql"] for query in captured]


def test_nobody_sees_nothing(town: Cast) -> None:
    for path in ("summary", "objects/by-city", "engineers", "visits/daily"):
        assert town.api(None).get(f"{BASE}{path}").status_code == 401
        assert town.api(town.anna).post(f"{BASE}{path}").status_code == 405
        assert town.api(town.anna).head(f"{BASE}{path}/").status_code == 200
