"""Reads whose JSON the database makes say exactly what the serializer says: both roads, side by side."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.api.kept_plans import forget
from crm.api.readable import read_by_database
from crm.api.viewsets import ReaderViewSet
from tests.cast import Cast
from tests.contracts.kinds import KINDS, Kind

pytestmark = pytest.mark.django_db

# Words that JSON, SQL or a driver could stumble upon.
ODD_WORDS = (
    'Ёлкина улица, «дом» "5"',
    "emoji 😀🏠 and a \\ backslash",
    "line\nbreak\ttab and 100%s %% %(x)s",
    "' OR 1=1; -- \u2028 \x7f \u00a0",
)
BIG = {
    "ключ": ["ё", 1, 2.5, None, True, {"глубже": {"ещё": [[]]}}],
    "many": [{"n": n, "текст": "я" * 40} for n in range(200)],
    "numbers": [0, -1, 9007199254740991, 0.1, 1e-7, 123456.789],
    "empty": {},
}


def town(cast: Cast) -> None:
    """Rows of every kind with everything there, nothing there, and what they refer to deleted."""
    full = cast.object(
        address=ODD_WORDS[0],
        gps_lat=55.123456789012345,
        gps_lng=-0.1,
        tags=["ё", "😀", 'a"b\\c'],
        responsible_user=cast.ivan,
        contact_name=ODD_WORDS[1],
        contact_phone="+79161234567",
        created_by=cast.sergei,
        updated_by=cast.ivan,
    )
    bare = cast.object(
        address="ул. Пустая, д. 1", district=None, tags=[], responsible_user=cast.pyotr
    )
    gone = cast.object(address="ул. Снесённая, д. 1", gps_lat=0.0, gps_lng=180.0)
    for parent in (gone, full, bare):
        unit = cast.unit(parent, floor=-2, entrance=3, attributes=BIG)
        empty = cast.unit(parent, attributes={})
        person = cast.customer(
            parent,
            unit=unit,
            full_name=ODD_WORDS[2],
            portrait_text=ODD_WORDS[3],
            provider_rating=5,
            satisfied=False,
            interests=["TV", "CCTV"],
            desired_price="1234567890.10",
            preferred_call_time="18:30",
            notes="",
            gdpr_consent=True,
        )
        foreign = cast.customer(parent, full_name=None, phone=f"+49301234{cast.made:04d}")
        nobody = cast.customer(parent, full_name=None, phone=None, satisfied=True)
        begun = datetime(2026, 3, 10, 12, 0, 0, 123456, tzinfo=UTC)
        cast.visit(
            parent,
            cast.ivan,
            unit=unit,
            customer=person,
            status="DONE",
            outcome_text=ODD_WORDS[1],
            scheduled_at=datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
            started_at=begun,
            finished_at=begun + timedelta(hours=1),
            next_action_due_at=timezone.now() - timedelta(days=1),
            interests=["OTHER"],
            geo_captured_lat=1e-7,
            geo_captured_lng=-179.99999999,
        )
        cast.visit(
            parent, cast.ivan, unit=empty, customer=foreign, next_action_due_at=timezone.now()
        )
        cast.visit(parent, cast.pyotr, customer=nobody, scheduled_at=None)
        # What the visit and the customer refer to will be deleted, they themselves will not.
        unused, forgotten = cast.unit(parent), cast.customer(parent, phone=None)
        cast.visit(parent, cast.ivan, unit=unused, customer=forgotten, scheduled_at=None)
        cast.customer(parent, unit=unused, phone=None)
    anna = cast.api(cast.anna)
    dropped = [("objects", gone), ("units", unused), ("customers", forgotten)]
    for kind, row in dropped:
        assert anna.delete(f"/api/v1/{kind}/{row.pk}").status_code == 204


def questions(kind: Kind) -> Iterator[str]:
    """Ways to ask for a list."""
    yield "?limit=1000"
    yield "?limit=2&page=2"
    yield "?limit=3&count=exact"
    yield "?cursor=&size=1000"
    yield "?q=улица"
    yield "?deleted=true"
    for name in kind.viewset.sorts:
        yield f"?sort=-{name}&limit=1000"
    if kind.name == "objects":
        yield "?near=55.1,-0.1&radius=20000000"
        yield "?near=55.1,-0.1&radius=20000000&cursor="
        yield "?bbox=-1,55,1,56"
        yield "/my-tasks"
    if kind.name == "visits":
        yield "/reminders"
        yield "/reminders?days_ahead=0&cursor="


PEOPLE = ("/api/v1/users", "/api/v1/users?page=1&limit=3", "/api/v1/users?cursor=&sort=-email")


def both(monkeypatch: pytest.MonkeyPatch, api: Any, path: str) -> tuple[Any, Any]:
    """The answer by the database, and the one by the serializer."""
    fast = api.get(path)
    with monkeypatch.context() as patched:
        patched.setattr(ReaderViewSet, "by_serializer", True)
        slow = api.get(path)
    assert fast.status_code == slow.status_code, path
    assert fast.headers.get("ETag") == slow.headers.get("ETag"), path
    return fast.json(), slow.json()


def same(fast: Any, slow: Any) -> bool:
    """Equal, member by member, in the same order, with true and 1 kept apart."""
    if isinstance(slow, dict):
        return list(fast) == list(slow) and all(same(fast[name], slow[name]) for name in slow)
    if isinstance(slow, list):
        return len(fast) == len(slow) and all(map(same, fast, slow))
    return bool(fast == slow) and isinstance(fast, bool) is isinstance(slow, bool)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_lists_and_details(cast: Cast, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    town(cast)
    for person in cast.everyone:
        api = cast.api(person, x_request_id="the-same")
        seen = 0
        for question in questions(kind):
            fast, slow = both(monkeypatch, api, f"{kind.url}{question}")
            cursors = [answer.pop("next_cursor", None) for answer in (fast, slow)]
            assert (cursors[0] is None) == (cursors[1] is None)
            assert same(fast, slow), (person, question)
            seen += len(slow.get("items", ()))
            deleted = question if "deleted" in question else ""
            for item in slow.get("items", ())[:2]:
                one, other = both(monkeypatch, api, f"{kind.url}/{item['id']}{deleted}")
                assert same(one, other), (person, item["id"])
                assert one["id"] == item["id"]
        assert bool(seen) == (person not in {cast.olga, cast.timur})
        missing, refused = both(monkeypatch, api, f"{kind.url}/{cast.moscow.pk}")
        assert missing["error"]["code"] == refused["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("who", ["anna", "sergei", "olga"])
def test_people(cast: Cast, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    api = cast.api(getattr(cast, who), x_request_id="the-same")
    for path in (*PEOPLE, f"/api/v1/users/{getattr(cast, who).pk}"):
        fast, slow = both(monkeypatch, api, path)
        assert same(fast, slow), path


def test_the_rows_hold_what_the_comparison_is_about(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    town(cast)
    ivan = cast.api(cast.ivan)
    visits = ivan.get("/api/v1/visits?limit=1000").json()["items"]
    deleted = cast.api(cast.anna).get("/api/v1/visits?deleted=true").json()["items"]
    assert all(visit["object"] is None for visit in deleted)
    assert deleted
    assert {visit["unit"] is None for visit in visits} == {True, False}
    phones = {visit["customer"]["phone"] for visit in visits if visit["customer"]}
    assert any(phone and "*" in phone for phone in phones)
    assert not any(phone and "*" not in phone for phone in phones)
    units = ivan.get("/api/v1/units?limit=1000").json()["items"]
    assert BIG in [unit["attributes"] for unit in units]
    # A cursor made by one road goes on by the other.
    step = ivan.get("/api/v1/visits?cursor=&size=2&sort=scheduled_at").json()
    monkeypatch.setattr(ReaderViewSet, "by_serializer", True)
    rest = ivan.get(
        "/api/v1/visits", {"cursor": step["next_cursor"], "size": "1000", "sort": "scheduled_at"}
    ).json()
    assert len(rest["items"]) == len(visits) - 2


def test_every_address_that_the_database_answers_is_compared() -> None:
    forget()
    compared = {f"{kind.viewset.__name__}" for kind in KINDS} | {"UserViewSet"}
    assert {type(view).__name__ for view in read_by_database()} == compared
