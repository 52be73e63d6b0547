"""The list of call-backs: who is on it, one click to done or put off, and two people at once."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEntry
from tests.cast import Cast
from tests.office.desk import desk
from visits.models import Visit

pytestmark = pytest.mark.django_db
LIST = "/admin/call-backs/"
HOUR = timedelta(hours=1)


def promised(cast: Cast, due: datetime, **values: Any) -> Visit:
    """A visit of yesterday that promised a call."""
    then = timezone.now() - timedelta(days=1)
    home = values.pop("object", None) or cast.object()
    done = {"status": "DONE", "started_at": then, "finished_at": then, "scheduled_at": then}
    told = {"outcome_text": "Подумают", "next_action_due_at": due, **done, **values}
    engineer = told.pop("engineer", cast.ivan)
    return cast.visit(home, engineer, **told)


def shown(client: Client, query: str = "") -> list[str]:
    """The visits on the list, in its order."""
    answer = client.get(f"{LIST}{query}")
    assert answer.status_code == 200
    return re.findall(r'action="/admin/call-backs/([0-9a-f-]{36})/', answer.content.decode())


def click(client: Client, visit: Visit, choice: str, query: str = "", **more: Any) -> str:
    """Press a button of the row as the page showed it; what the next page says."""
    data = {"version": visit.version, "choice": choice, **more}
    answer = client.post(f"{LIST}{visit.pk}/{query}", data, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def ids(*visits: Visit) -> list[str]:
    return [str(visit.pk) for visit in visits]


def test_soonest_first_within_sight(cast: Cast) -> None:
    now = timezone.now()
    far = promised(cast, now + timedelta(days=20))
    soon = promised(cast, now + timedelta(days=2))
    late = promised(cast, now - timedelta(days=2, hours=1))
    kazan = promised(cast, now - HOUR, object=cast.object(city=cast.kazan), engineer=cast.timur)
    gone = promised(cast, now - HOUR)
    cast.api(cast.anna).delete(f"/api/v1/visits/{gone.pk}")
    cast.visit(cast.object(), cast.ivan)
    sergei = desk(cast.sergei)
    assert shown(sergei) == ids(late, soon)
    assert shown(sergei, "?when=overdue") == ids(late)
    assert shown(sergei, "?when=all") == ids(late, soon, far)
    assert shown(desk(cast.olga), "?when=all") == ids(kazan)
    assert shown(desk(cast.anna)) == ids(late, kazan, soon)
    # The same as the API's reminders, left as they are.
    reminders = cast.api(cast.sergei).get("/api/v1/visits/reminders").json()["items"]
    assert [one["id"] for one in reminders] == ids(late, soon)
    assert "2 days overdue" in sergei.get(LIST).content.decode()
    assert sergei.get(f"{LIST}?when=never").status_code == 422
    assert sergei.get(f"{LIST}?engineer__password=x").status_code == 422


def test_today_ends_with_the_city_s_day(cast: Cast) -> None:
    zone = ZoneInfo("Europe/Moscow")
    last = timezone.now().astimezone(zone).replace(hour=23, minute=59, second=59)
    tonight = promised(cast, last)
    promised(cast, last + timedelta(minutes=5))
    assert shown(desk(cast.sergei), "?when=today") == ids(tonight)


def test_what_a_row_tells(cast: Cast) -> None:
    home = cast.object(address="ул. Звонкая, д. 5", contact_phone="+78432000000")
    customer = cast.customer(home, full_name="Роза Иванова", phone="+79991234567")
    promised(cast, timezone.now(), object=home, customer=customer, outcome_text="Хотят ТВ <b>")
    promised(cast, timezone.now(), object=home)
    text = desk(cast.sergei).get(LIST).content.decode()
    assert 'href="tel:+79991234567"' in text
    assert "+7 999 123-45-67" in text
    assert 'href="tel:+78432000000"' in text
    for told in ("Роза Иванова", "ул. Звонкая, д. 5", "Хотят ТВ &lt;b&gt;", "Иван Центров"):
        assert told in text
    assert shown(desk(cast.sergei), "?q=звонкая") != []
    assert shown(desk(cast.sergei), "?q=глухая") == []


def test_one_click_to_done(cast: Cast) -> None:
    visit = promised(cast, timezone.now() - HOUR)
    client = desk(cast.sergei)
    said = click(client, visit, "done", "?when=overdue")
    assert "Call made:" in said
    assert 'aria-current="page">Overdue' in said
    visit.refresh_from_db()
    assert visit.next_action_due_at is None
    assert visit.version == 2
    assert shown(client, "?when=all") == []
    entry = AuditEntry.objects.filter(entity_id=visit.pk, action="update").get()
    assert entry.actor_id == cast.sergei.pk
    assert set(entry.changes_summary) == {"next_action_due_at"}


@pytest.mark.parametrize(
    ("choice", "days"), [("tomorrow", 1), ("3days", 3), ("week", 7), ("day", 40)]
)
def test_put_off_to_the_same_time_of_another_day(cast: Cast, choice: str, days: int) -> None:
    zone = ZoneInfo("Europe/Moscow")
    at = datetime(2026, 1, 20, 15, 30, tzinfo=zone)
    visit = promised(cast, at)
    day = timezone.now().astimezone(zone).date() + timedelta(days=days)
    said = click(desk(cast.sergei), visit, choice, day=day.isoformat())
    assert "Put off to" in said
    visit.refresh_from_db()
    assert visit.next_action_due_at is not None
    local = visit.next_action_due_at.astimezone(zone)
    assert (local.date(), local.hour, local.minute) == (day, 15, 30)
    assert visit.version == 2


@pytest.mark.parametrize("day", ["", "2026-02-31", "soon", "2020-01-01"])
def test_a_day_that_is_none_or_past_is_refused(cast: Cast, day: str) -> None:
    due = timezone.now() - HOUR
    visit = promised(cast, due)
    said = click(desk(cast.sergei), visit, "day", day=day)
    assert (
        "Choose a day to put the call off to." in said or "only be put off to a later time" in said
    )
    visit.refresh_from_db()
    assert (visit.next_action_due_at, visit.version) == (due, 1)


def test_the_second_of_two_is_told(cast: Cast) -> None:
    visit = promised(cast, timezone.now() - HOUR)
    first, second = desk(cast.sergei), desk(cast.anna)
    click(first, visit, "done")
    said = click(second, visit, "week")
    assert "Somebody else has already dealt with this call-back." in said
    fresh = Visit.objects.get(pk=visit.pk)
    assert (fresh.next_action_due_at, fresh.version) == (None, 2)
    other = promised(cast, timezone.now() - HOUR)
    click(first, other, "tomorrow")
    said = click(second, other, "done")
    assert "Somebody else changed this visit meanwhile, and nothing was done." in said
    assert "tomorrow" in said
    assert Visit.objects.get(pk=other.pk).next_action_due_at is not None


def test_nobody_deals_with_what_they_do_not_see(cast: Cast) -> None:
    visit = promised(cast, timezone.now() - HOUR)
    for choice in ("done", "week"):
        said = click(desk(cast.olga), visit, choice)
        assert "There is no such visit any more, or you cannot see it." in said
    visit.refresh_from_db()
    assert visit.next_action_due_at is not None
    client = desk(cast.sergei)
    assert client.get(f"{LIST}{visit.pk}/").status_code == 405
    assert client.post(f"{LIST}{visit.pk}/", {"choice": "done"}).status_code == 422
    assert client.post(f"{LIST}{visit.pk}/", {"choice": "x", "version": "1"}).status_code == 302
    visit.refresh_from_db()
    assert visit.version == 1


def test_the_navigation_says_how_many_are_late(cast: Cast) -> None:
    promised(cast, timezone.now() - HOUR)
    promised(cast, timezone.now() - HOUR)
    promised(cast, timezone.now() + HOUR)
    badge = re.compile(r"phone_callback.*?</a>", re.DOTALL)
    for user, number in ((cast.sergei, "2"), (cast.olga, "")):
        text = desk(user).get("/admin/objects/object/").content.decode()
        found = badge.search(text[text.index("nav-sidebar") :])
        assert found is not None
        words = re.sub(r"<[^>]+>", " ", found[0]).split()
        assert words[1:] == (["Call-backs", number] if number else ["Call-backs"])


def test_few_queries_whatever_the_length(cast: Cast) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        return len(captured)

    client = desk(cast.sergei)
    for _ in range(2):
        home = cast.object()
        promised(
            cast, timezone.now(), object=home, customer=cast.customer(home), unit=cast.unit(home)
        )
    before = asked()
    for _ in range(9):
        home = cast.object()
        promised(
            cast, timezone.now(), object=home, customer=cast.customer(home), unit=cast.unit(home)
        )
    assert asked() <= min(before, 15)


def test_buttons_of_a_visit(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    client = desk(cast.sergei)
    page, move = f"/admin/visits/visit/{visit.pk}/change/", f"/admin/visit-moves/{visit.pk}/"

    def offered() -> list[str]:
        return re.findall(r'name="move" value="(\w+)"', client.get(page).content.decode())

    def press(name: str, version: int) -> str:
        answer = client.post(move, {"move": name, "version": version}, follow=True)
        return answer.content.decode()

    assert offered() == ["start", "cancel"]
    assert "The visit is now: in progress." in press("start", 1)
    assert offered() == ["cancel"]
    # The page was opened before the start.
    assert "nothing was done" in press("cancel", 1)
    assert Visit.objects.get(pk=visit.pk).status == "IN_PROGRESS"
    assert "The visit is now: cancelled." in press("cancel", 2)
    assert offered() == ["reopen"]
    assert "cannot move from CANCELLED" in press("start", 3)
    assert "The visit is now: planned." in press("reopen", 3)
    assert client.post(move, {"move": "delete", "version": 4}).status_code == 422
    assert desk(cast.olga).post(move, {"move": "start", "version": 4}).status_code == 404
    assert Visit.objects.get(pk=visit.pk).version == 4


def test_quick_filters_of_visits(cast: Cast) -> None:
    client = desk(cast.sergei)
    text = client.get("/admin/visits/visit/?when=tomorrow").content.decode()
    assert '<a href="?when=tomorrow" aria-current="page">Tomorrow</a>' in text
    visit = cast.visit(cast.object(), cast.ivan)
    cast.visit(cast.object(), cast.ivan, status="CANCELLED")
    text = client.get("/admin/visits/visit/?status=OPEN").content.decode()
    assert "1 in all" in text
    assert str(visit.pk) in text
