"""A plan that was kept answers nobody but the person, role and territory that it was made for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from crm.api import kept_plans
from crm.api.filters import From, says
from crm.api.kept_plans import planned, sight_of, timeless
from crm.api.readable import callbacks
from crm.api.viewsets import ReaderViewSet
from crm.db.json_pages import json_rows
from crm.recent import Recent
from crm.urls import urlpatterns
from crm.users.models import User
from crm.users.roles import Role
from tests.cast import Cast
from tests.contracts.kinds import KINDS, Kind
from visits.filters import Due, ReminderFilters, VisitFilters

pytestmark = pytest.mark.django_db

LISTS = [kind.url for kind in KINDS]


@pytest.fixture(autouse=True)
def _no_plans() -> None:
    kept_plans.forget()


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    return {row["id"] for row in (body if isinstance(body, list) else body["items"])}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_everybody_asks_the_same_in_turn(cast: Cast, kind: Kind) -> None:
    """Word for word the same question: each hears what they alone may see, the second time as the first."""
    moscow = kind.make(cast)
    kazan = kind.make(cast, cast.object(city=cast.kazan, district=cast.vakhitovsky))
    if kind.name == "visits":
        type(kazan).objects.filter(pk=kazan.pk).update(engineer=cast.timur)
    apis = [cast.api(person) for person in cast.everyone]
    for question in ("?limit=1000", "?cursor=&size=1000", "?sort=-created_at&limit=999"):
        first = [ids(api.get(f"{kind.url}{question}")) for api in apis]
        assert [ids(api.get(f"{kind.url}{question}")) for api in reversed(apis)] == first[::-1]
        kept_plans.forget()
        assert [ids(api.get(f"{kind.url}{question}")) for api in apis] == first
    for row, seen_by in ((moscow, "anna sergei ivan"), (kazan, "anna olga timur")):
        for _ in range(2):
            codes = [api.get(f"{kind.url}/{row.pk}").status_code for api in apis]
            names = [person.email.partition("@")[0] for person in cast.everyone]
            seen = {name for name, code in zip(names, codes, strict=True) if code == 200}
            assert seen == set(seen_by.split())


def test_masks_follow_the_reader(cast: Cast) -> None:
    customer = cast.customer(cast.object(), phone="+79161234567")
    path = f"/api/v1/customers/{customer.pk}"
    for _ in range(2):
        for person, shown in ((cast.sergei, "+79161234567"), (cast.ivan, "+7 (***) ***-**67")):
            api = cast.api(person)
            assert api.get(path).json()["phone"] == shown
            assert api.get("/api/v1/customers").json()["items"][0]["phone"] == shown


def test_a_change_of_role_or_territory_is_effective_on_the_next_request(cast: Cast) -> None:
    here, there = cast.object(), cast.object(city=cast.kazan, district=None)
    cast.customer(here, phone="+79161234567")
    api = cast.api(cast.sergei)

    def seen() -> set[str]:
        return ids(api.get("/api/v1/objects"))

    assert seen() == {str(here.pk)}
    assert api.get(f"/api/v1/objects/{there.pk}").status_code == 404
    User.objects.filter(pk=cast.sergei.pk).update(city=cast.kazan)
    assert seen() == {str(there.pk)}
    assert api.get(f"/api/v1/objects/{there.pk}").status_code == 200
    assert api.get(f"/api/v1/objects/{here.pk}").status_code == 404
    User.objects.filter(pk=cast.sergei.pk).update(city=None)
    assert seen() == {str(here.pk), str(there.pk)}
    assert api.get("/api/v1/customers").json()["items"][0]["phone"] == "+79161234567"
    User.objects.filter(pk=cast.sergei.pk).update(
        role=Role.ENGINEER, city=cast.moscow, district=cast.centre
    )
    assert seen() == {str(here.pk)}
    assert "*" in api.get("/api/v1/customers").json()["items"][0]["phone"]
    User.objects.filter(pk=cast.sergei.pk).update(district=cast.north)
    assert seen() == set()
    User.objects.filter(pk=cast.sergei.pk).update(is_active=False)
    assert api.get("/api/v1/objects").status_code == 401


def test_the_deleted_are_refused_to_a_former_administrator(cast: Cast) -> None:
    api, gone = cast.api(cast.anna), cast.object()
    api.delete(f"/api/v1/objects/{gone.pk}")
    for path in ("/api/v1/objects?deleted=true", f"/api/v1/objects/{gone.pk}?deleted=true"):
        assert api.get(path).status_code == 200
    User.objects.filter(pk=cast.anna.pk).update(role=Role.SUPERVISOR)
    for path in ("/api/v1/objects?deleted=true", f"/api/v1/objects/{gone.pk}?deleted=true"):
        assert api.get(path).status_code == 403


def test_what_is_written_is_seen_at_once(cast: Cast) -> None:
    """The plan is kept, not what it found."""
    api = cast.api(cast.ivan)
    assert ids(api.get("/api/v1/objects")) == set()
    record = cast.object()
    assert api.get("/api/v1/objects").json()["total"] == 1
    api.patch(f"/api/v1/objects/{record.pk}", {"contact_name": "Вахтёр"})
    assert api.get("/api/v1/objects").json()["items"][0]["contact_name"] == "Вахтёр"
    assert api.get(f"/api/v1/objects/{record.pk}").json()["contact_name"] == "Вахтёр"


def test_lists_of_one_kind_are_kept_apart(cast: Cast) -> None:
    mine, other = cast.object(responsible_user=cast.ivan), cast.object()
    cast.visit(other, cast.ivan)
    api = cast.api(cast.ivan)
    for _ in range(2):
        assert ids(api.get("/api/v1/objects")) == {str(mine.pk), str(other.pk)}
        assert ids(api.get("/api/v1/objects/my-tasks")) == {str(mine.pk)}
        assert len(ids(api.get("/api/v1/visits"))) == 1
        assert ids(api.get("/api/v1/visits/reminders")) == set()


class Watched:
    """A person who notes what is asked of them."""

    def __init__(self, person: User) -> None:
        object.__setattr__(self, "person", person)
        object.__setattr__(self, "asked", set())

    def __getattr__(self, name: str) -> Any:
        inside = {"pk": "pk", "id": "pk"}.get(name, name)
        self.asked.add(inside)
        return getattr(self.person, name)


# What of a person follows from their role.
FOLLOWS = {"is_admin", "is_supervisor", "is_engineer", "sees_personal_data", "scopes"}


def views() -> list[type[ReaderViewSet]]:
    """Every viewset whose plans are kept."""
    found = {getattr(callback, "cls", None) for callback in callbacks(urlpatterns)}
    readers = [view for view in found if isinstance(view, type) and issubclass(view, ReaderViewSet)]
    return sorted(
        (view for view in readers if view.sight_by_role and not view.by_serializer),
        key=lambda view: view.__name__,
    )


def test_sight_goes_by_what_is_in_the_key_alone(cast: Cast) -> None:
    assert len(views()) == len(KINDS) + 1
    for person in cast.everyone:
        in_key = {"pk", "role", "city_id", "district_id"}
        assert sight_of(person) == (person.pk, person.role, person.city_id, person.district_id)
        for view in views():
            watched: Any = Watched(person)
            view.queryset.model.objects.visible_to(watched)  # type: ignore[union-attr, attr-defined]
            assert watched.asked <= in_key | FOLLOWS, view


def test_no_plan_is_kept_for_a_moment(cast: Cast) -> None:
    """A filter whose SQL changes with time keeps its list from being kept."""
    values = {"next_action_due": "true", "due_within": "7d", "overdue": "false", "days_ahead": "3"}
    assert timeless(VisitFilters, {})
    assert timeless(VisitFilters, {"status": "DONE", "next_action_due": ""})
    for name in ("next_action_due", "due_within"):
        assert not timeless(VisitFilters, {name: values[name]})
    assert not timeless(ReminderFilters, {})


def test_what_says_to_be_timeless_is(cast: Cast) -> None:
    """Each filter's SQL, made at two times."""
    rows_of = {kind.viewset: cast for kind in KINDS}
    assert rows_of
    samples = [
        "true", "3", "7d", "2026-03-10", "55.7,37.6", "37,55,38,56", str(cast.moscow.pk),
        "+79161234567", "NEW", "TV", "DONE", "MKD", "ADMIN",
    ]  # fmt: skip
    checked = set()
    for view in views():
        for filters in (view.filters, *(ReminderFilters,) * (view.scope == "visits")):
            for name in filters.base_filters:
                for sample in samples:
                    parameters = {name: sample, **({"near": "1,1"} if name == "radius" else {})}
                    made = []
                    for moment in (
                        datetime(2026, 3, 10, tzinfo=UTC),
                        datetime(2027, 1, 1, tzinfo=UTC),
                    ):
                        with time_machine.travel(moment, tick=False):
                            request = type("Asked", (), {"user": cast.anna})
                            chosen = filters(
                                data=parameters,
                                queryset=view.queryset.model.objects.all(),  # type: ignore[union-attr, attr-defined]
                                request=request,
                            )
                            if chosen.form.is_valid():
                                compiled = json_rows(chosen.qs, lambda _: [])
                                made.append((compiled.sql, tuple(compiled.parameters)))
                    if made:
                        checked.add(name)
                        assert made[0] == made[1] or not timeless(filters, parameters), name
    assert {"next_action_due", "due_within", "days_ahead", "near", "phone", "tags"} <= checked


def test_what_is_left_out_without_a_value_means_nothing_without_one(cast: Cast) -> None:
    for view in views():
        for filters in (view.filters, *(ReminderFilters,) * (view.scope == "visits")):
            rows = view.queryset.model.objects.all()  # type: ignore[union-attr, attr-defined]
            everything = filters(
                data=dict.fromkeys(filters.base_filters, " "), queryset=rows, request=None
            )
            assert everything.filters.keys() == filters.base_filters.keys()
            for name, declared in everything.filters.items():
                same = str(declared.filter(rows, None).query) == str(rows.query)
                assert same or not says(filters.base_filters[name], "only_when_given"), name
    # Call-backs are due within a week, where nobody says otherwise.
    assert "days_ahead" in ReminderFilters(data={}, queryset=rows).filters
    assert "status" not in ReminderFilters(data={"status": ""}, queryset=rows).filters


def test_a_promise_is_not_inherited() -> None:
    assert vars(From)["timeless"]
    assert "timeless" not in vars(Due)
    assert Due.timeless


def test_the_longest_unused_is_forgotten() -> None:
    recent = Recent[int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_without_a_key_nothing_is_kept() -> None:
    made = iter(range(9))
    assert [planned(None, lambda: next(made)) for _ in range(3)] == [0, 1, 2]
    assert [planned("key", lambda: next(made)) for _ in range(3)] == [3, 3, 3]


def test_a_setting_makes_all_plans_anew(cast: Cast, settings: Any) -> None:
    """A day is the day of TIME_ZONE."""
    visit = cast.visit(
        cast.object(), cast.ivan, scheduled_at=datetime(2026, 3, 10, 22, tzinfo=UTC) + timedelta()
    )
    api = cast.api(cast.ivan)
    assert ids(api.get("/api/v1/visits?date_to=2026-03-10")) == set()
    settings.TIME_ZONE = "America/New_York"
    assert ids(api.get("/api/v1/visits?date_to=2026-03-10")) == {str(visit.pk)}
