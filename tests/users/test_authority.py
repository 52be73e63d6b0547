"""Making and editing accounts: who may do what to whom."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from crm.changes import Action, Change
from crm.errors import CallerError, Conflict, NotFound, Unauthorized
from crm.users import services
from crm.users.models import Session, User
from crm.users.roles import Role
from tests.cast import PASSWORD, Cast
from tests.users.conftest import log_in

pytestmark = pytest.mark.django_db

USERS = "/api/v1/users"


def newcomer(**values: Any) -> dict[str, Any]:
    return {
        "email": "Nina@CRM.test ",
        "full_name": "Нина Новая",
        "role": "ENGINEER",
        "password": "a long enough phrase",
        **values,
    }


def problems(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return list(answer.json()["error"]["details"]["fields"])


def test_an_admin_makes_anybody(cast: Cast, told: list[Change]) -> None:
    for role in Role.values:
        body = newcomer(email=f"{role}@crm.test", role=role, phone="8 916 000-00-01")
        answer = cast.api(cast.anna).post(USERS, body)
        assert answer.status_code == 201, answer.content
        assert answer.json()["email"] == f"{role.lower()}@crm.test"
        assert answer.json()["phone"] == "+79160000001"
        assert answer.json()["is_active"] is True
        assert log_in(cast, f"{role}@crm.test", "a long enough phrase").status_code == 200
    made = [change for change in told if change.action == Action.CREATE]
    assert [change.origin.actor for change in made] == [cast.anna] * 3
    assert made[0].after
    assert made[0].after["email"] == "admin@crm.test"
    assert "password" not in made[0].after


def test_a_district_implies_its_city(cast: Cast) -> None:
    body = newcomer(district_id=str(cast.vakhitovsky.pk))
    shown = cast.api(cast.anna).post(USERS, body).json()
    assert shown["city"]["name"] == "Казань"
    assert shown["district"]["name"] == "Вахитовский"


def test_a_supervisor_makes_engineers_of_his_city(cast: Cast) -> None:
    api = cast.api(cast.sergei)
    shown = api.post(USERS, newcomer(district_id=str(cast.north.pk))).json()
    assert (shown["city_id"], shown["district_id"]) == (str(cast.moscow.pk), str(cast.north.pk))
    shown = api.post(USERS, newcomer(email="b@crm.test")).json()
    assert (shown["city_id"], shown["district_id"]) == (str(cast.moscow.pk), None)
    for role in ("SUPERVISOR", "ADMIN"):
        assert api.post(USERS, newcomer(email="c@crm.test", role=role)).status_code == 403
    elsewhere = newcomer(email="d@crm.test", city_id=str(cast.kazan.pk))
    assert problems(api.post(USERS, elsewhere)) == ["city_id"]
    elsewhere = newcomer(email="d@crm.test", district_id=str(cast.vakhitovsky.pk))
    assert problems(api.post(USERS, elsewhere)) == ["district_id"]
    assert User.objects.count() == 8


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "x" * 250 + "@a.ru"}, "email"),
        ({"email": None}, "email"),
        ({"full_name": " "}, "full_name"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"role": "BOSS"}, "role"),
        ({"role": None}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "8172635485"}, "password"),
        ({"password": "nina@crm.test"}, "password"),
        ({"password": None}, "password"),
        ({"phone": "nonsense"}, "phone"),
        ({"phone": "+7 (***) ***-**01"}, "phone"),
        ({"email": "ni***@crm.test"}, "email"),
        ({"city_id": str(uuid4())}, "city_id"),
        ({"city_id": 5}, "city_id"),
        ({"district_id": str(uuid4())}, "district_id"),
        ({"is_active": "yes"}, "is_active"),
    ],
)
def test_what_no_account_is_made_of(cast: Cast, values: dict[str, Any], field: str) -> None:
    answer = cast.api(cast.anna).post(USERS, newcomer(**values), format="json")
    assert problems(answer) == [field]
    assert User.objects.count() == 6


def test_a_district_of_another_city(cast: Cast) -> None:
    body = newcomer(city_id=str(cast.moscow.pk), district_id=str(cast.vakhitovsky.pk))
    assert problems(cast.api(cast.anna).post(USERS, body)) == ["district_id"]
    path = f"{USERS}/{cast.ivan.pk}"
    assert problems(cast.api(cast.anna).patch(path, {"city_id": str(cast.kazan.pk)})) == [
        "district_id"
    ]
    body = {"city_id": str(cast.kazan.pk), "district_id": str(cast.vakhitovsky.pk)}
    assert cast.api(cast.anna).patch(path, body).json()["district"]["name"] == "Вахитовский"


def test_an_address_belongs_to_one(cast: Cast) -> None:
    for actor, email, known in (
        (cast.anna, "IVAN@crm.test", cast.ivan),
        (cast.sergei, "ivan@CRM.test", cast.ivan),
        (cast.sergei, "timur@crm.test", None),
    ):
        answer = cast.api(actor).post(USERS, newcomer(email=email))
        assert answer.status_code == 409
        error = answer.json()["error"]
        assert error["code"] == "DUPLICATE"
        expected = {"field": "email"} | ({"existing_id": str(known.pk)} if known else {})
        assert error["details"] == expected
    path = f"{USERS}/{cast.pyotr.pk}"
    answer = cast.api(cast.anna).patch(path, {"email": "Ivan@crm.test"})
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["existing_id"] == str(cast.ivan.pk)


@pytest.mark.django_db(transaction=True)
def test_of_two_with_one_address_at_once_one_is_made(
    cast: Cast, run_together: Callable[..., list[Any]]
) -> None:
    def make() -> Any:
        return cast.api(cast.anna).post(USERS, newcomer()).status_code

    assert sorted(run_together(make, make, make)) == [201, 409, 409]


def test_an_admin_edits_anything(cast: Cast, told: list[Change]) -> None:
    body = {
        "email": "Ivan.New@crm.test",
        "full_name": "Иван Старший",
        "phone": "+7 916 999 99 99",
        "role": "SUPERVISOR",
        "district_id": None,
    }
    answer = cast.api(cast.anna).patch(f"{USERS}/{cast.ivan.pk}", body)
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["email"] == "ivan.new@crm.test"
    assert (shown["role"], shown["district"]) == ("SUPERVISOR", None)
    assert [change.action for change in told] == [Action.UPDATE, Action.ROLE]
    assert told[1].before == {"role": "ENGINEER"}
    assert told[1].after == {"role": "SUPERVISOR"}
    # The same again changes nothing, and says so by silence.
    told.clear()
    before = answer.json()["updated_at"]
    again = cast.api(cast.anna).patch(f"{USERS}/{cast.ivan.pk}", body)
    assert again.json()["updated_at"] == before
    assert told == []


def test_a_new_password_ends_the_sessions(cast: Cast, told: list[Change]) -> None:
    ivan = cast.api(cast.ivan)
    path = f"{USERS}/{cast.ivan.pk}"
    answer = cast.api(cast.anna).patch(path, {"password": "another long phrase"})
    assert answer.status_code == 200
    assert ivan.get(f"{USERS}/me").status_code == 401
    assert log_in(cast, "ivan@crm.test").status_code == 401
    assert log_in(cast, "ivan@crm.test", "another long phrase").status_code == 200
    assert [change.action for change in told][:2] == [Action.PASSWORD, Action.LOGOUT]
    assert "another" not in repr(told)
    assert problems(cast.api(cast.anna).patch(path, {"password": "password"})) == ["password"]


def test_deactivation_ends_the_sessions_for_good(cast: Cast, told: list[Change]) -> None:
    ivan = cast.api(cast.ivan)
    path = f"{USERS}/{cast.ivan.pk}"
    assert cast.api(cast.sergei).patch(path, {"is_active": False}).status_code == 200
    assert ivan.get(f"{USERS}/me").status_code == 401
    assert cast.api(cast.sergei).patch(path, {"is_active": True}).status_code == 200
    assert ivan.get(f"{USERS}/me").status_code == 401
    ended = [change.after for change in told if change.action == Action.LOGOUT]
    assert [fact["reason"] for fact in ended if fact] == ["deactivated"]
    assert Session.objects.filter(user=cast.ivan, ended_at__isnull=True).count() == 0


def test_what_a_supervisor_may_edit(cast: Cast) -> None:
    api = cast.api(cast.sergei)
    path = f"{USERS}/{cast.ivan.pk}"
    body: dict[str, Any] = {
        "full_name": "Иван Иванов",
        "district_id": str(cast.north.pk),
        "phone": None,
    }
    assert api.patch(path, body).json()["district"]["name"] == "Северный"
    # What is sent back as it was is no change.
    assert api.patch(path, {"email": "IVAN@crm.test", "role": "ENGINEER"}).status_code == 200
    for body in (
        {"email": "i@crm.test"},
        {"password": "another long phrase"},
        {"role": "SUPERVISOR"},
    ):
        answer = api.patch(path, body)
        assert answer.status_code == 403, body
        assert answer.json()["error"]["details"]["fields"] == list(body)
    away = {"city_id": str(cast.kazan.pk), "district_id": str(cast.vakhitovsky.pk)}
    assert problems(api.patch(path, away)) == ["city_id"]
    assert problems(api.patch(path, {"city_id": None, "district_id": None})) == ["city_id"]
    assert api.patch(f"{USERS}/{cast.timur.pk}", {"full_name": "x"}).status_code == 404
    assert api.patch(f"{USERS}/{cast.anna.pk}", {"full_name": "x"}).status_code == 404
    User.objects.filter(pk=cast.anna.pk).update(city=cast.moscow)
    for person in (cast.anna, cast.sergei):
        assert api.patch(f"{USERS}/{person.pk}", {"full_name": "x"}).status_code == 403


def test_nobody_edits_their_own_role(cast: Cast) -> None:
    User.objects.filter(pk=cast.olga.pk).update(role=Role.ADMIN)
    answer = cast.api(cast.anna).patch(f"{USERS}/{cast.anna.pk}", {"role": "ENGINEER"})
    assert answer.status_code == 403
    assert (
        cast.api(cast.anna).patch(f"{USERS}/{cast.anna.pk}", {"role": "ADMIN"}).status_code == 200
    )


def test_the_last_admin_stays(cast: Cast) -> None:
    api = cast.api(cast.anna)
    answer = api.patch(f"{USERS}/{cast.anna.pk}", {"is_active": False})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "CONFLICT"
    User.objects.filter(pk=cast.olga.pk).update(role=Role.ADMIN, is_active=False)
    assert api.patch(f"{USERS}/{cast.anna.pk}", {"is_active": False}).status_code == 409
    User.objects.filter(pk=cast.olga.pk).update(is_active=True)
    assert api.patch(f"{USERS}/{cast.anna.pk}", {"is_active": False}).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [{"role": "ENGINEER"}, {"is_active": False}])
def test_two_admins_demoting_each_other_at_once(
    cast: Cast, run_together: Callable[..., list[Any]], change: dict[str, Any]
) -> None:
    User.objects.filter(pk=cast.olga.pk).update(role=Role.ADMIN)
    cast.olga.refresh_from_db()

    def demote(actor: User, user: User) -> Callable[[], User]:
        return lambda: services.update_user(actor=actor, user_id=user.pk, changes=dict(change))

    results = run_together(demote(cast.anna, cast.olga), demote(cast.olga, cast.anna))
    refused = [result for result in results if isinstance(result, CallerError)]
    assert len(refused) == 1, results
    # The loser is the last one, or by then nobody who may do anything.
    assert isinstance(refused[0], Conflict | NotFound | Unauthorized)
    assert User.objects.active_admins().count() == 1


@pytest.mark.django_db(transaction=True)
def test_all_admins_retiring_at_once(cast: Cast, run_together: Callable[..., list[Any]]) -> None:
    User.objects.filter(pk__in=[cast.olga.pk, cast.sergei.pk]).update(role=Role.ADMIN)
    admins = [cast.anna, cast.olga, cast.sergei]

    def retire(user: User) -> Callable[[], User]:
        return lambda: services.update_user(
            actor=user, user_id=user.pk, changes={"is_active": False}
        )

    results = run_together(*[retire(user) for user in admins])
    assert [type(result).__name__ for result in results].count("Conflict") == 1
    assert User.objects.active_admins().count() == 1


def test_bodies_that_are_no_objects(cast: Cast) -> None:
    api = cast.api(cast.anna)
    odd: list[Any] = [[], "x", 5, None, [{}]]
    for body in odd:
        assert api.post(USERS, body, format="json").status_code in {400, 422}
        assert api.patch(f"{USERS}/{cast.ivan.pk}", body, format="json").status_code in {
            200,
            400,
            422,
        }
        assert api.patch(f"{USERS}/me", body, format="json").status_code in {200, 400, 422}


def test_passwords_appear_in_no_answer(cast: Cast) -> None:
    answer = cast.api(cast.anna).post(USERS, newcomer(role="BOSS", password="a long enough phrase"))
    assert "long enough" not in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
