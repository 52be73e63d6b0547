"""The home page: each number is of what its reader sees, and leads to just as many rows."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.backoffice import keeping
from crm.users.models import User
from tests.cast import Cast
from tests.office.desk import desk
from visits import figures

pytestmark = pytest.mark.django_db
MOST = 15


class Numbers(HTMLParser):
    """The links of a page whose text is a number: address → number."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, int]] = []
        self.href = ""
        self.text = ""
        self.drawing = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "svg":
            self.drawing = True
        if tag == "a" and not self.drawing:
            self.href, self.text = given.get("href") or "", ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "svg":
            self.drawing = False
        if tag == "a" and self.href and not self.drawing:
            # "NEW 12 34%": a percentage is not what the link leads to.
            number = re.findall(r"(?<![\w.])(\d+)(?!\d*%)", re.sub(r"\d+%", "", self.text))
            if number:
                self.found.append((self.href, int(number[-1])))
            self.href = ""

    def handle_data(self, data: str) -> None:
        if self.href and not self.drawing:
            self.text += data


def cards(client: Client) -> str:
    """The home page's own part."""
    text = client.get("/admin/").content.decode()
    begin = text.index('class="office-cards"')
    return text[begin : text.index("</main>", begin) if "</main>" in text[begin:] else None]


def numbers(client: Client) -> list[tuple[str, int]]:
    parser = Numbers()
    parser.feed(cards(client))
    return parser.found


def rows_behind(client: Client, link: str) -> int:
    """How many rows the list at that link has in all, as it says itself."""
    answer = client.get(link)
    assert answer.status_code == 200, link
    said = re.search(r'class="office-total">\s*(\d+) in all', answer.content.decode())
    return int(said[1]) if said else 0


def worked(cast: Cast) -> None:
    """Two towns at work: visits of today and before, promises, objects in every status."""
    now = timezone.now()
    for city, engineer in (
        (cast.moscow, cast.ivan),
        (cast.moscow, cast.pyotr),
        (cast.kazan, cast.timur),
    ):
        for place, status in enumerate(("NEW", "NEW", "INTEREST", "CALLBACK", "REJECTED", "DONE")):
            home = cast.object(
                city=city, status=status, responsible_user=engineer if place % 2 else None
            )
            cast.visit(home, engineer, scheduled_at=now)
            for days in (1, place + 2, 29, 30, 31):
                then = now - timedelta(days=days)
                done: dict[str, Any] = {
                    "status": "DONE",
                    "outcome_text": "Да",
                    "started_at": then,
                    "finished_at": then,
                }
                state = (done, {"status": "CANCELLED"}, {})[(place + days) % 3]
                cast.visit(home, engineer, scheduled_at=then, **state)
            promised = now + timedelta(hours=[-50, -1, 3, 30, 300, -2][place])
            then = now - timedelta(days=3)
            cast.visit(
                home, engineer, scheduled_at=then, started_at=then, finished_at=then,
                status="DONE", outcome_text="Позвонить", next_action_due_at=promised,
            )  # fmt: skip


def test_each_number_is_the_number_of_rows_behind_it(cast: Cast, monkeypatch: Any) -> None:
    worked(cast)
    seen = {}
    for user in (cast.anna, cast.sergei, cast.olga):
        client = desk(user)
        found = numbers(client)
        assert len(found) > 40
        for link, number in dict.fromkeys(found):
            assert rows_behind(client, link) == number, (user.email, link)
        seen[user] = sum(number for _, number in found)
    # Anna sees both towns, and nobody sees the other's.
    assert seen[cast.anna] == seen[cast.sergei] + seen[cast.olga]
    assert seen[cast.olga] > 0


def test_nothing_is_told_of_another_town(cast: Cast) -> None:
    worked(cast)
    text = cards(desk(cast.olga))
    assert "Тимур Казанский" in text
    assert "Иван Центров" not in text
    assert "Пётр Северов" not in text


def test_an_empty_company_has_a_home_page(cast: Cast) -> None:
    for user in (cast.anna, cast.sergei):
        text = cards(desk(user))
        assert "No visits yet." in text
        assert all(
            rows_behind(desk(user), link) == number for link, number in numbers(desk(user))[:6]
        )


def test_today_is_the_city_s_day(cast: Cast) -> None:
    cast.kazan.time_zone = "Asia/Vladivostok"
    cast.kazan.save()
    home = cast.object(city=cast.kazan)
    far = timezone.now().astimezone(__import__("zoneinfo").ZoneInfo("Asia/Vladivostok"))
    morning = far.replace(hour=0, minute=1, second=0, microsecond=0)
    cast.visit(home, cast.timur, scheduled_at=morning)
    cast.visit(home, cast.timur, scheduled_at=morning - timedelta(minutes=2))
    with timezone.override("Asia/Vladivostok"):
        assert sum(figures.today(cast.olga).value.values()) == 1
    client = desk(cast.olga)
    today = [number for link, number in numbers(client) if link.endswith("visit/?when=today")]
    assert today == [1]


def test_few_queries_with_all_there_is(cast: Cast) -> None:
    worked(cast)
    for user in (cast.anna, cast.sergei):
        client = desk(user)
        with CaptureQueriesContext(connection) as captured:
            client.get("/admin/")
        assert len(captured) <= MOST, [query["sql"] for query in captured]


def test_dear_figures_are_kept_for_those_who_see_the_same(cast: Cast, monkeypatch: Any) -> None:
    worked(cast)
    monkeypatch.setattr(keeping, "CHEAP", -1.0)
    monkeypatch.setattr(keeping, "SHARE", 10**6)
    with timezone.override("Europe/Moscow"):
        before = {
            user: figures.objects(user).value.total for user in (cast.anna, cast.sergei, cast.olga)
        }
        assert before[cast.anna] == before[cast.sergei] + before[cast.olga] == 18
        cast.object()
        assert figures.objects(cast.sergei).value.total == before[cast.sergei]
        assert figures.objects(cast.olga).value.total == before[cast.olga]
        other = User.objects.create(
            email="vera@crm.test", full_name="Вера", role="SUPERVISOR", city=cast.moscow
        )
        assert figures.objects(other).value.total == before[cast.sergei]
        cache.clear()
        assert figures.objects(cast.sergei).value.total == before[cast.sergei] + 1


def test_cheap_figures_are_counted_each_time(cast: Cast) -> None:
    keeping.kept("cheap", lambda: 1)
    assert keeping.kept("cheap", lambda: 2).value == 2


def test_one_renews_while_the_others_get_the_old(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(keeping, "CHEAP", -1.0)
    monkeypatch.setattr(keeping, "SHARE", 10**6)
    monkeypatch.setattr(keeping, "LONGEST", 1e-6)
    assert keeping.kept("dear", lambda: 1).value == 1
    during = []

    def count() -> int:
        during.append(keeping.kept("dear", lambda: 3).value)
        return 2

    assert keeping.kept("dear", count).value == 2
    assert during == [1]


def test_numbers_beyond_the_cap_say_so(cast: Cast, monkeypatch: Any) -> None:
    worked(cast)
    monkeypatch.setattr(figures, "MOST", 2)
    assert ">2+</a>" in cards(desk(cast.anna))


def test_the_axis_ends_at_a_round_number() -> None:
    assert [figures.highest([number]) for number in (0, 1, 3, 7, 12, 49, 50, 120, 36000)] == [
        1, 1, 5, 10, 20, 50, 50, 200, 50000,
    ]  # fmt: skip


def test_the_page_draws_what_it_says(cast: Cast) -> None:
    worked(cast)
    text = cards(desk(cast.sergei))
    assert text.count("<title>") == figures.DAYS
    # A column for each day with visits, as tall as its number says; the same numbers stand in the table.
    assert text.count('class="fill-planned"') > 1
