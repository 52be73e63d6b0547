"""GET audit and audit/{id}: who sees what, and how the list is narrowed down."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEntry
from audit.registrations import entity_types
from crm.changes import Action, Change, Origin, originating, report
from crm.users.models import User
from crm.users.roles import Role
from tests.cast import Cast, person
from tests.contracts.envelope import invalid, refused

pytestmark = pytest.mark.django_db

URL = "/api/v1/audit"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIELDS = {
    "id", "actor_id", "actor_name", "action", "entity_type", "entity_id", "before_json", "after_json",
    "changes_summary", "ip_address", "user_agent", "request_id", "occurred_at",
}  # fmt: skip


def told(
    actor: User | None, city: UUID | None, *, minutes: int = 0, count: int = 1, request: str = "",
    action: Action = Action.UPDATE, entity: str = "object", record: UUID | None = None,
) -> list[str]:  # fmt: skip
    """Entries as a service would leave them, so many minutes after START; their ids."""
    known = {*AuditEntry.objects.values_list("pk", flat=True)}
    changes = [
        Change(action, entity, record or uuid4(), {"status": "NEW"}, {"status": "DONE"}, city, 2)
        for _ in range(count)
    ]
    moment = START + timedelta(minutes=minutes)
    with (
        time_machine.travel(moment, tick=False),
        transaction.atomic(),
        originating(Origin(None, request)),
    ):
        report(changes, actor=actor)
    new = AuditEntry.objects.exclude(pk__in=known).order_by("pk")
    return [str(entry.pk) for entry in new]


def seen(cast: Cast, user: User, query: str = "") -> list[str]:
    answer = cast.api(user).get(f"{URL}?limit=1000{query}")
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    assert body["total"] == len(body["items"])
    return [item["id"] for item in body["items"]]


@pytest.fixture
def trail(cast: Cast) -> dict[str, str]:
    """Entries of both cities and of none, by people of both."""
    moscow, kazan = cast.moscow.pk, cast.kazan.pk
    whom = [
        ("ivan in Moscow", cast.ivan, moscow), ("timur in Kazan", cast.timur, kazan),
        ("sergei in Kazan", cast.sergei, kazan), ("sergei in Moscow", cast.sergei, moscow),
        ("sergei nowhere", cast.sergei, None), ("olga nowhere", cast.olga, None),
        ("olga in Moscow", cast.olga, moscow), ("anna in Kazan", cast.anna, kazan), ("a command", None, None),
    ]  # fmt: skip
    return {name: told(actor, city, minutes=n)[0] for n, (name, actor, city) in enumerate(whom)}


def test_who_sees_what(cast: Cast, trail: dict[str, str]) -> None:
    boss = person("boss@crm.test", "Глава", Role.SUPERVISOR)
    expected = {
        "anna": [*trail],
        "sergei": [
            "ivan in Moscow", "sergei in Kazan", "sergei in Moscow", "sergei nowhere", "olga in Moscow",
        ],
        "olga": [
            "timur in Kazan", "sergei in Kazan", "olga nowhere", "olga in Moscow", "anna in Kazan",
        ],
    }  # fmt: skip
    for name, entries in expected.items():
        user = getattr(cast, name)
        # Newest first.
        assert seen(cast, user) == [trail[one] for one in reversed(entries)], name
        for one, pk in trail.items():
            answer = cast.api(user).get(f"{URL}/{pk}")
            assert answer.status_code == (200 if one in entries else 404), (name, one)
    assert seen(cast, boss) == [*reversed(trail.values())]
    for engineer in (cast.ivan, cast.pyotr, cast.timur):
        refused(cast.api(engineer).get(URL), 403)
        refused(cast.api(engineer).get(f"{URL}/{trail['ivan in Moscow']}"), 403)
    refused(cast.api(None).get(URL), 401)


def test_sight_follows_the_supervisor_to_another_city(cast: Cast, trail: dict[str, str]) -> None:
    api = cast.api(cast.sergei)
    User.objects.filter(pk=cast.sergei.pk).update(city=cast.kazan)
    items = api.get(URL).json()["items"]
    assert {item["id"] for item in items} == {
        trail[one] for one in trail if "Kazan" in one or one.startswith("sergei")
    }


def test_the_city_is_that_of_the_moment(cast: Cast) -> None:
    """What happened while the house was Moscow's stays Moscow's; the move itself is told to its new city."""
    home = cast.object()
    anna = cast.api(cast.anna)
    anna.patch(f"/api/v1/objects/{home.pk}", {"status": "DONE"})
    anna.patch(f"/api/v1/objects/{home.pk}", {"city_id": str(cast.kazan.pk), "district_id": None})
    statuses = [cast.api(who).get(URL).json()["items"] for who in (cast.sergei, cast.olga)]
    assert [[*entry["changes_summary"]] for entry in statuses[0]] == [["status"]]
    assert [{*entry["changes_summary"]} for entry in statuses[1]] == [{"city_id", "district_id"}]


def test_what_an_entry_says(cast: Cast) -> None:
    home = cast.object()
    api = cast.api(cast.sergei)
    headers = {"x-request-id": "walk-7", "user-agent": "phone/2"}
    api.patch(f"/api/v1/objects/{home.pk}", {"status": "DONE", "tags": ["а"]}, headers=headers)
    listed = api.get(URL).json()["items"][0]
    assert listed.keys() == FIELDS
    assert cast.api(cast.sergei).get(f"{URL}/{listed['id']}/").json() == listed
    assert listed["changes_summary"] == {
        "status": {"old": "NEW", "new": "DONE"},
        "tags": {"old": [], "new": ["а"]},
    }
    assert (listed["before_json"]["version"], listed["after_json"]["version"]) == (1, 2)
    assert listed["after_json"]["address"] == home.address
    said = {
        "actor_id": str(cast.sergei.pk), "actor_name": "Сергей Московский", "action": "update",
        "entity_type": "object", "entity_id": str(home.pk), "ip_address": "127.0.0.1",
        "user_agent": "phone/2", "request_id": "walk-7",
    }  # fmt: skip
    assert {name: listed[name] for name in said} == said
    moment = datetime.fromisoformat(listed["occurred_at"])
    assert listed["occurred_at"].endswith("Z")
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_nobody_writes_here(cast: Cast, trail: dict[str, str]) -> None:
    api = cast.api(cast.anna)
    entry = f"{URL}/{trail['a command']}"
    for method, path in (
        ("post", URL),
        ("patch", entry),
        ("delete", entry),
        ("put", entry),
        ("post", f"{entry}/restore"),
    ):
        assert getattr(api, method)(path, {}).status_code in {404, 405}, (method, path)
    assert AuditEntry.objects.count() == len(trail)


def test_what_is_not_there_is_404(cast: Cast) -> None:
    for unknown in (str(uuid4()), "7", "null", "x" * 300):
        refused(cast.api(cast.anna).get(f"{URL}/{unknown}"), 404)


def test_filters(cast: Cast) -> None:
    home, flat = uuid4(), uuid4()
    made = told(cast.ivan, cast.moscow.pk, record=home, action=Action.CREATE, request="r-1")[0]
    edit = told(cast.sergei, cast.moscow.pk, record=home, minutes=10, request="r-2")[0]
    gone = told(
        cast.anna, cast.kazan.pk, record=flat, entity="unit", action=Action.DELETE, minutes=20
    )[0]
    role = told(
        cast.anna, None, record=cast.ivan.pk, entity="user", action=Action.ROLE, minutes=30
    )[0]
    everything = [role, gone, edit, made]
    cases: dict[str, list[str]] = {
        "": everything,
        f"actor_id={cast.anna.pk}": [role, gone],
        f"actor_id={cast.anna.pk},{cast.ivan.pk}": [role, gone, made],
        "entity_type=object": [edit, made], "entity_type=objects": [edit, made],
        "entity_type=Objects,unit": [gone, edit, made], "filters[entity_type]=units": [gone],
        "entity_type=cities": [],
        f"entity_id={home}": [edit, made], f"entity_type=objects&entity_id={home}": [edit, made],
        "action=create": [made], "action=CREATE,Role": [role, made], "action=login_failed": [],
        "since=2026-03-01T12:10:00Z": [role, gone, edit], "until=2026-03-01T12:10:00Z": [edit, made],
        "since=2026-03-01T12:05:00Z&until=2026-03-01T12:25:00": [gone, edit],
        "since=2026-03-01&until=2026-03-01": everything, "since=2026-03-02": [], "until=2026-02-28": [],
        "request_id=r-1": [made], "request_id=r-1,r-2": [edit, made], "request_id=r": [],
        "sort=occurred_at": everything[::-1], "sort=-occurred_at": everything, "action=": everything,
    }  # fmt: skip
    for query, expected in cases.items():
        assert seen(cast, cast.anna, f"&{query}") == expected, query
    assert seen(cast, cast.sergei, "&action=create,delete") == [made]


def test_unknown_words_are_refused_with_the_known_ones(cast: Cast) -> None:
    api = cast.api(cast.anna)
    for query, known in {
        "entity_type=castle": ["object", "objects", "city", "cities", "user"],
        "action=explode": ["create", "login_failed", "prune"],
        "actor_id=7": [], "entity_id=x": [], "since=yesterday": [], "until=2026-02-30": [],
        "sort=actor_name": ["occurred_at"], "limit=1001": [], "count=all": [],
        "colour=red": ["actor_id", "request_id", "since"], "q=Мира": ["actor_id"], "search=x": ["actor_id"],
        "updated_from=2026-01-01": ["since"], "deleted=true": ["since"],
    }.items():  # fmt: skip
        text = invalid(api.get(f"{URL}?{query}"), query.partition("=")[0])
        assert all(word in text for word in known), (query, text)


def test_every_entity_is_known_by_its_name(cast: Cast) -> None:
    assert set(entity_types()) >= {
        "object",
        "unit",
        "customer",
        "visit",
        "user",
        "city",
        "district",
        "audit",
    }
    assert "session" not in entity_types()


@pytest.mark.parametrize("name", ["anna", "sergei"])
def test_pages_and_cursors(cast: Cast, name: str) -> None:
    """Entries of one moment too: a service call's have no other order than their ids'."""
    for minute in range(3):
        told(cast.sergei, cast.moscow.pk, minutes=minute, count=3)
        told(cast.sergei, cast.kazan.pk, minutes=minute, count=3)
        told(cast.sergei, None, minutes=minute, count=2)
    api = cast.api(getattr(cast, name))
    everything = seen(cast, getattr(cast, name))
    assert len(everything) == 24
    rows = AuditEntry.objects.in_bulk()
    order = sorted(rows.values(), key=lambda entry: (entry.timestamp, entry.pk), reverse=True)
    assert everything == [str(entry.pk) for entry in order]
    pages = [api.get(f"{URL}?page={page}&limit=7").json() for page in range(1, 5)]
    assert [item["id"] for page in pages for item in page["items"]] == everything
    assert {(page["total"], page["pages"]) for page in pages} == {(24, 4)}
    for sort, expected in (("", everything[::-1]), ("&sort=-occurred_at", everything)):
        assert walk(api, f"&size=7{sort}") == expected
        # Newer entries that come meanwhile disturb nobody.
    invalid(api.get(f"{URL}?cursor=x"), "cursor")
    invalid(api.get(f"{URL}?cursor=&page=1"), "cursor")


def walk(api: Any, query: str) -> list[str]:
    """All entries by cursor, while others write."""
    rows: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = api.get(f"{URL}?cursor={quote(cursor)}{query}").json()
        rows += [item["id"] for item in body["items"]]
        cursor = body["next_cursor"]
    return rows


@pytest.mark.parametrize(("name", "own"), [("anna", 0), ("sergei", 1)])
def test_queries_are_few_however_many_entries(cast: Cast, name: str, own: int) -> None:
    """The session and the page; a list that ends here needs no count. `own`: a supervisor's cities."""
    for count in (1, 200):
        first = told(cast.ivan, cast.moscow.pk, count=count)[0]
        api = cast.api(getattr(cast, name))
        for path, expected in (
            (f"{URL}?limit=1000", 2),
            (f"{URL}?cursor=&size=1000", 2),
            (f"{URL}/{first}", 2),
        ):
            with CaptureQueriesContext(connection) as captured:
                assert api.get(path).status_code == 200
            assert len(captured) == expected + own, path
