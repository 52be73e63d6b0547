"""Who sees which object and what hangs on it, by name."""

from typing import Any

import pytest

from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object
from tests.cast import Cast, person
from tests.contracts.envelope import invalid, refused

pytestmark = pytest.mark.django_db


def with_everything(cast: Cast, **values: Any) -> Object:
    """An object with a unit and a customer."""
    parent = cast.object(**values)
    cast.customer(parent, unit=cast.unit(parent))
    return parent


def paths_of(record: Object) -> list[str]:
    """The details of an object and of what hangs on it (visits aside)."""
    unit, customer = record.units.get(), record.customers.get()  # type: ignore[attr-defined]
    return [
        f"/api/v1/objects/{record.pk}", f"/api/v1/units/{unit.pk}", f"/api/v1/customers/{customer.pk}",
    ]  # fmt: skip


def sees(cast: Cast, user: User, record: Object, *, everywhere: bool = False) -> bool:
    """Whether a user sees an object, after checking that details and lists agree.

    everywhere: also cursors, counts, filters and search.
    """
    api = cast.api(user)
    answers = [api.get(path) for path in paths_of(record)]
    assert len({answer.status_code for answer in answers}) == 1
    seen = answers[0].status_code == 200
    if not seen:
        for answer in answers:
            refused(answer, 404)
    for kind in ("objects", "units", "customers"):
        for query in ("", "?cursor=&size=1000", "?limit=1000&count=exact") if everywhere else ("",):
            items = api.get(f"/api/v1/{kind}{query}").json()["items"]
            ids = {row["id"] if kind == "objects" else row["object_id"] for row in items}
            assert (str(record.pk) in ids) is seen, (kind, query)
    if not everywhere:
        return seen
    for kind in ("objects", "customers"):
        # The address alone does not find one object: Moscow's streets all begin alike.
        found = api.get(f"/api/v1/{kind}", {"q": record.address, "limit": "1000"}).json()
        ids = {row["id"] if kind == "objects" else row["object_id"] for row in found["items"]}
        assert (str(record.pk) in ids) is seen
        assert found["total"] == len(found["items"])
    for kind in ("units", "customers"):
        total = api.get(f"/api/v1/{kind}", {"object_id": str(record.pk)}).json()["total"]
        assert total == int(seen)
    return seen


def who_sees(cast: Cast, record: Object, *, everywhere: bool = False) -> set[str]:
    """The first letters of those of the cast who see the object."""
    return {
        user.email[0] for user in cast.everyone if sees(cast, user, record, everywhere=everywhere)
    }


def test_territories(cast: Cast) -> None:
    assert who_sees(cast, with_everything(cast), everywhere=True) == set("asi")
    assert who_sees(cast, with_everything(cast, district=cast.north)) == set("asp")
    assert who_sees(cast, with_everything(cast, district=None)) == set("as")
    kazan = with_everything(cast, city=cast.kazan, district=cast.vakhitovsky)
    assert who_sees(cast, kazan, everywhere=True) == set("aot")
    assert who_sees(cast, with_everything(cast, city=cast.kazan)) == set("ao")


def test_engineers_and_supervisors_without_a_part_of_their_territory(cast: Cast) -> None:
    centre, kazan = with_everything(cast), with_everything(cast, city=cast.kazan)
    whole_city = person("whole@crm.test", "Вся Москва", Role.ENGINEER, city=cast.moscow)
    nothing = person("nothing@crm.test", "Ничего", Role.ENGINEER)
    company = person("company@crm.test", "Вся компания", Role.SUPERVISOR)
    seen = {
        user.email: [sees(cast, user, centre), sees(cast, user, kazan)]
        for user in (whole_city, nothing, company)
    }
    assert seen == {
        "whole@crm.test": [True, False], "nothing@crm.test": [False, False],
        "company@crm.test": [True, True],
    }  # fmt: skip


def test_responsibility_gives_sight_and_takes_it(cast: Cast) -> None:
    record = with_everything(cast, city=cast.kazan)
    path = f"/api/v1/objects/{record.pk}"
    anna = cast.api(cast.anna)
    assert anna.patch(path, {"responsible_user_id": str(cast.ivan.pk)}).status_code == 200
    assert who_sees(cast, record) == set("aoi")
    assert cast.api(cast.ivan).patch(path, {"status": "INTEREST"}).status_code == 200
    assert anna.patch(path, {"responsible_user_id": None}).status_code == 200
    assert who_sees(cast, record) == set("ao")


def test_responsibility_gives_a_supervisor_nothing(cast: Cast) -> None:
    record = with_everything(cast, city=cast.kazan, responsible_user=cast.sergei)
    assert who_sees(cast, record) == set("ao")
    assert cast.api(cast.sergei).get("/api/v1/objects/my-tasks").json()["total"] == 0


def test_a_live_visit_gives_sight_a_cancelled_one_does_not(cast: Cast) -> None:
    record = with_everything(cast, city=cast.kazan)
    visit = cast.visit(record, cast.ivan, status="CANCELLED")
    assert who_sees(cast, record, everywhere=True) == set("ao")
    path = f"/api/v1/visits/{visit.pk}"
    refused(cast.api(cast.ivan).get(path), 404)
    anna = cast.api(cast.anna)
    for action, body, seen in (
        ("reopen", {}, "aoi"),
        ("complete", {"version": 2, "outcome_text": "Да"}, "aoi"),
        ("reopen", {}, "aoi"),
        ("cancel", {}, "ao"),
    ):
        assert anna.post(f"{path}/{action}", body).status_code == 200
        assert who_sees(cast, record) == set(seen), action
    second = cast.visit(record, cast.ivan)
    assert who_sees(cast, record, everywhere=True) == set("aoi")
    assert anna.delete(f"/api/v1/visits/{second.pk}").status_code == 204
    assert who_sees(cast, record) == set("ao")
    assert anna.post(f"/api/v1/visits/{second.pk}/restore").status_code == 200
    assert who_sees(cast, record) == set("aoi")
    reassigned = anna.patch(f"/api/v1/visits/{second.pk}", {"engineer_id": str(cast.pyotr.pk)})
    assert reassigned.status_code == 200
    assert who_sees(cast, record) == set("aop")


def test_moving_an_object_moves_the_sight(cast: Cast) -> None:
    record = with_everything(cast)
    path = f"/api/v1/objects/{record.pk}"
    assert cast.api(cast.sergei).patch(path, {"district_id": str(cast.north.pk)}).status_code == 200
    assert who_sees(cast, record) == set("asp")
    away = {"city_id": str(cast.kazan.pk), "district_id": None}
    assert cast.api(cast.anna).patch(path, away).status_code == 200
    assert who_sees(cast, record) == set("ao")


def test_a_change_of_territory_or_role_acts_on_the_next_request(cast: Cast) -> None:
    record = cast.object()
    api = cast.api(cast.ivan)
    path = f"/api/v1/objects/{record.pk}"
    assert api.get(path).status_code == 200
    User.objects.filter(pk=cast.ivan.pk).update(district=cast.north)
    assert api.get(path).status_code == 404
    User.objects.filter(pk=cast.ivan.pk).update(role=Role.SUPERVISOR)
    assert api.get(path).status_code == 200
    User.objects.filter(pk=cast.ivan.pk).update(is_active=False)
    refused(api.get(path), 401)


def test_visits_are_an_engineers_own_where_they_see_the_object(cast: Cast) -> None:
    record = cast.object()
    mine, his = cast.visit(record, cast.ivan), cast.visit(record, cast.pyotr)
    seen = {
        user.email[0]: {row["id"] for row in cast.api(user).get("/api/v1/visits").json()["items"]}
        for user in cast.everyone
    }
    both = {str(mine.pk), str(his.pk)}
    assert seen == {
        "a": both, "s": both, "o": set(), "i": {str(mine.pk)}, "p": {str(his.pk)}, "t": set(),
    }  # fmt: skip
    refused(cast.api(cast.ivan).get(f"/api/v1/visits/{his.pk}"), 404)
    assert (
        cast.api(cast.sergei)
        .get("/api/v1/visits", {"engineer_id": str(cast.pyotr.pk)})
        .json()["total"]
        == 1
    )
    assert (
        cast.api(cast.ivan)
        .get("/api/v1/visits", {"engineer_id": str(cast.pyotr.pk)})
        .json()["total"]
        == 0
    )


@pytest.mark.parametrize("name", ["olga", "timur", "pyotr"])
def test_nothing_of_moscows_centre_can_be_touched_from_outside(cast: Cast, name: str) -> None:
    record = with_everything(cast)
    visit = cast.visit(record, cast.ivan)
    api = cast.api(getattr(cast, name))
    paths = [*paths_of(record), f"/api/v1/visits/{visit.pk}"]
    for path in paths:
        refused(api.get(path), 404)
        refused(api.patch(path, {}), 404)
        refused(api.patch(path, {"version": 99}), 404)
        refused(api.delete(path), 404)
    refused(api.post(f"{paths[0]}/delegate?supervisor_id={cast.sergei.pk}"), 404)
    base = {"object_id": str(record.pk)}
    invalid(api.post("/api/v1/units", {**base, "unit_number": "1"}), "object_id")
    invalid(api.post("/api/v1/customers", base), "object_id")
    invalid(api.post("/api/v1/visits", base), "object_id")
    assert Object.objects.get(pk=record.pk).version == 1


def test_refusals_do_not_tell_what_exists(cast: Cast) -> None:
    record = with_everything(cast)
    api = cast.api(cast.olga)
    for kind, path in zip(("objects", "units", "customers"), paths_of(record), strict=True):
        nowhere = f"/api/v1/{kind}/0190a2b4-0000-7000-8000-000000000000"
        for call in (api.get, api.delete, api.patch):
            hidden, missing = call(path, {}), call(nowhere, {})
            for answer in (hidden, missing):
                refused(answer, 404)
            assert hidden.json()["detail"] == missing.json()["detail"]
