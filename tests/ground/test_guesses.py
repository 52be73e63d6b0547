"""Whichever road PostgreSQL takes to what it can only guess at: the same rows, in the same order."""

import random
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.api import kept_plans, listing, pages
from crm.db import distance_m, holds_any, in_boxes
from crm.db.guesses import gathered, is_guess
from crm.geo import boxes_around
from crm.searching import matching
from objects.models import Object
from objects.views import ObjectViewSet
from tests.cast import Cast
from tests.office.desk import desk
from visits.models import Visit

pytestmark = pytest.mark.django_db

FEW, MANY = 10_000, 0
QUERIES: list[dict[str, str]] = [
    {"q": "садовая"},
    {"q": "садовая", "status": "NEW"},
    {"tags": "лифт"},
    {"q": "садовая", "tags": "лифт", "bbox": "37,55,38,56"},
]


@pytest.fixture
def street(cast: Cast) -> Cast:
    """Forty houses that tie in most of what they are sorted by, or have nothing there."""
    chance = random.Random(3)
    for number in range(40):
        house = cast.object(
            address=f"ул. Садовая, д. {number % 7}",
            status=chance.choice(["NEW", "DONE"]),
            tags=chance.choice([[], ["лифт"], ["лифт", "ёж"]]),
            contact_phone=chance.choice([None, "+79123456789"]),
            gps_lat=chance.choice([55.1, 55.75, 57.0]),
            gps_lng=37.5,
        )
        if chance.random() < 0.4:
            cast.visit(
                house, cast.ivan, status="DONE", outcome_text="Садовая", finished_at=timezone.now()
            )
    return cast


def paged(cast: Cast, name: str, query: dict[str, str]) -> list[str]:
    api = cast.api(getattr(cast, name))
    found: list[str] = []
    for page in range(1, 10):
        body = api.get("/api/v1/objects", {**query, "limit": "7", "page": str(page)}).json()
        found += [item["id"] for item in body["items"]]
        if not body["has_next"]:
            return found
    raise AssertionError("no end")


def walked(cast: Cast, name: str, query: dict[str, str]) -> list[str]:
    api = cast.api(getattr(cast, name))
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = api.get("/api/v1/objects", {**query, "size": "7", "cursor": cursor}).json()
        found += [item["id"] for item in body["items"]]
        cursor = body["next_cursor"]
    return found


@pytest.mark.postgresql_only
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_both_roads_meet_the_same(
    street: Cast, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    for name in ("anna", "ivan"):
        every = name == "anna" and query == QUERIES[0]
        sorts = ["", *ObjectViewSet.sorts] if every else ["", "last_visit_at", "address"]
        for sort in (*sorts, *(f"-{each}" for each in sorts if each)):
            asked = {**query, **({"sort": sort} if sort else {})}
            seen: dict[int, Any] = {}
            for bound in (FEW, MANY):
                monkeypatch.setattr(pages, "EXACT_TOTAL", bound)
                kept_plans.forget()
                with CaptureQueriesContext(connection) as captured:
                    seen[bound] = paged(street, name, asked), walked(street, name, asked)
                sorted_ = [q for q in captured if "(ARRAY[" in q["sql"]]
                assert bool(sorted_) == (bound == FEW)
            assert seen[FEW] == seen[MANY], asked
            assert sorted(seen[FEW][0]) == sorted(seen[FEW][1])
            assert len(seen[FEW][0]) >= 3


@pytest.mark.postgresql_only
def test_options_come_in_the_same_order(street: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {
        "app_label": "visits",
        "model_name": "visit",
        "field_name": "object",
        "term": "садовая",
    }
    seen = []
    for bound in (FEW, MANY):
        monkeypatch.setattr(listing, "EXACT_TOTAL", bound)
        answers = [
            desk(street.sergei).get("/admin/autocomplete/", {**asked, "page": page}).json()
            for page in ("1", "2")
        ]
        seen.append(answers)
    assert seen[0] == seen[1]
    assert len(seen[0][0]["results"]) == len(seen[0][1]["results"]) == 20


def test_what_is_a_guess(engine: str) -> None:
    on_postgresql = engine == "postgresql"
    words = matching("search_text", "ёж", private=True)
    tags = holds_any("tags", ["ёж"])
    for condition in (words, tags, ~words, words | tags):
        assert is_guess(Object.objects.filter(condition)) == on_postgresql
        assert is_guess(Object.objects.filter(status="NEW").filter(condition)) == on_postgresql
    assert is_guess(Visit.objects.filter(words)) == on_postgresql
    boxes = in_boxes("gps_lat", "gps_lng", boxes_around(55, 37, 100))
    for plain in (boxes, Q(status="NEW"), Q(), Q(pk__in=[])):
        assert not is_guess(Object.objects.filter(plain))


def test_rows_in_no_order_of_a_column_are_left_alone(cast: Cast) -> None:
    rows = Object.objects.all()
    away = rows.annotate(away=distance_m("gps_lat", "gps_lng", 55, 37))
    for left in (
        rows.order_by(),
        rows.order_by("?"),
        away.order_by("away", "pk"),
        away.order_by(F("away").asc()),
    ):
        assert gathered(left) is left


def test_an_order_is_the_same_without_its_index(cast: Cast) -> None:
    chance = random.Random(5)
    for _ in range(9):
        cast.object(contact_phone=chance.choice([None, "+79120000001", "+79120000002"]))
    rows = Object.objects.all()
    for order in (
        ["pk"], ["-pk"], ["contact_phone", "-pk"], ["-contact_phone", "pk"], ["city__name", "pk"],
        [F("contact_phone").desc(nulls_first=True), "pk"], [F("contact_phone").asc(nulls_last=True), "-pk"],
    ):  # fmt: skip
        given = rows.order_by(*order)
        found = gathered(given)
        assert found is not given
        assert list(found) == list(given), order
