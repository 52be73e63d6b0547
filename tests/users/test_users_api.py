"""users/…: who sees whom, and what of them."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from crm.users.models import User
from tests.cast import Cast

pytestmark = pytest.mark.django_db

USERS, ME, SUPERVISORS = "/api/v1/users", "/api/v1/users/me", "/api/v1/users/supervisors"


def names(answer: Any) -> list[str]:
    rows = answer.json()
    rows = rows if isinstance(rows, list) else rows["items"]
    return [row["full_name"].split()[0] for row in rows]


def test_me(cast: Cast) -> None:
    me = cast.api(cast.sergei).get(ME).json()
    assert me == {
        "id": str(cast.sergei.pk),
        "email": "sergei@crm.test",
        "full_name": "Сергей Московский",
        "phone": "+79161110002",
        "role": "SUPERVISOR",
        "city_id": str(cast.moscow.pk),
        "district_id": None,
        "city": {"id": str(cast.moscow.pk), "name": "Москва"},
        "district": None,
        "is_active": True,
        "last_login_at": None,
        "created_at": me["created_at"],
        "updated_at": me["updated_at"],
        "scopes": cast.sergei.scopes,
    }
    assert me["created_at"].endswith("Z")


def test_an_engineer_is_masked_even_to_himself(cast: Cast) -> None:
    me = cast.api(cast.ivan).get(ME).json()
    assert me["phone"] == "+7 (***) ***-**04"
    assert me["email"] == "iv***@crm.test"
    assert me["district"]["name"] == "Центральный"


def test_my_name_and_phone(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    answer = api.patch(ME, {"full_name": "Иван Новый", "phone": "8 (916) 222-33-44"})
    assert answer.status_code == 200
    assert answer.json()["full_name"] == "Иван Новый"
    assert answer.json()["phone"] == "+7 (***) ***-**44"
    cast.ivan.refresh_from_db()
    assert cast.ivan.phone == "+79162223344"
    # The mask sent back changes nothing, another one is refused.
    assert api.patch(ME, {"phone": "+7 (***) ***-**44"}).status_code == 200
    assert api.patch(ME, {"phone": "+7 (***) ***-**45"}).status_code == 422
    assert api.patch(ME, {"phone": "12"}).status_code == 422
    cast.ivan.refresh_from_db()
    assert cast.ivan.phone == "+79162223344"
    assert api.patch(ME, {"phone": None}).json()["phone"] is None


def test_nothing_else_of_me(cast: Cast) -> None:
    wanted = {
        "role": "ADMIN",
        "email": "boss@crm.test",
        "city_id": str(cast.kazan.pk),
        "district_id": None,
        "is_active": False,
        "password": "a much longer phrase",
    }
    before = User.objects.filter(pk=cast.ivan.pk).values().get()
    cast.api(cast.ivan).patch(ME, wanted)
    assert User.objects.filter(pk=cast.ivan.pk).values().get() == before


def test_who_sees_whom(cast: Cast) -> None:
    assert names(cast.api(cast.anna).get(USERS)) == [
        "Анна", "Иван", "Ольга", "Пётр", "Сергей", "Тимур",
    ]  # fmt: skip
    assert names(cast.api(cast.sergei).get(USERS)) == ["Иван", "Пётр", "Сергей"]
    assert names(cast.api(cast.olga).get(USERS)) == ["Ольга", "Тимур"]
    User.objects.filter(pk=cast.olga.pk).update(city=None)
    assert len(names(cast.api(cast.olga).get(USERS))) == 6


@pytest.mark.parametrize("method", ["get", "post"])
def test_engineers_do_not_list_or_make_people(cast: Cast, method: str) -> None:
    assert getattr(cast.api(cast.ivan), method)(USERS).status_code == 403
    for person in (cast.ivan, cast.pyotr):
        path = f"{USERS}/{person.pk}"
        assert cast.api(cast.ivan).get(path).status_code == 403
        assert cast.api(cast.ivan).patch(path, {"full_name": "x"}).status_code == 403


def test_nobody_sees_nothing(cast: Cast) -> None:
    for path in (USERS, ME, SUPERVISORS, f"{USERS}/{cast.ivan.pk}"):
        assert cast.api(None).get(path).status_code == 401


def test_details(cast: Cast) -> None:
    shown = cast.api(cast.sergei).get(f"{USERS}/{cast.ivan.pk}").json()
    assert shown["email"] == "ivan@crm.test"
    assert shown["phone"] == "+79161110004"
    assert shown["city"]["name"] == "Москва"
    assert "scopes" not in shown
    assert "password" not in shown
    for unseen in (cast.timur.pk, cast.anna.pk, "nonsense", cast.moscow.pk):
        assert cast.api(cast.sergei).get(f"{USERS}/{unseen}").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("role=ENGINEER", ["Иван", "Пётр", "Тимур"]),
        ("filters[role]=SUPERVISOR,ADMIN", ["Анна", "Ольга", "Сергей"]),
        ("city_id={kazan}", ["Ольга", "Тимур"]),
        ("district_id={centre}", ["Иван"]),
        ("is_active=false", []),
        ("q=петр", ["Пётр"]),
        ("q=КАЗАН", ["Ольга", "Тимур"]),
        ("q=ivan", ["Иван"]),
        ("search=timur%40crm.test", ["Тимур"]),
        ("q=нов", []),
        ("sort=-full_name&role=ENGINEER", ["Тимур", "Пётр", "Иван"]),
        ("sort=role,-email", ["Анна", "Тимур", "Пётр", "Иван", "Сергей", "Ольга"]),
        ("limit=2", ["Анна", "Иван"]),
        ("page=2&limit=4", ["Сергей", "Тимур"]),
    ],
)
def test_filters(cast: Cast, query: str, expected: list[str]) -> None:
    query = query.format(kazan=cast.kazan.pk, centre=cast.centre.pk)
    assert names(cast.api(cast.anna).get(f"{USERS}?{query}")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "role=BOSS",
        "city_id=x",
        "is_active=perhaps",
        "phone=1",
        "sort=password",
        "limit=1001",
        "page=0",
    ],
)
def test_unknown_filters_are_refused(cast: Cast, query: str) -> None:
    answer = cast.api(cast.anna).get(f"{USERS}?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]["fields"]) == [query.partition("=")[0]]


def test_a_page_or_a_cursor_when_asked(cast: Cast) -> None:
    api = cast.api(cast.anna)
    page = api.get(f"{USERS}?page=1&limit=4").json()
    assert (page["total"], page["pages"], page["has_next"]) == (6, 2, True)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        step = api.get(USERS, {"cursor": cursor, "size": 4, "sort": "full_name"}).json()
        seen += [row["id"] for row in step["items"]]
        cursor = step["next_cursor"]
    assert len(seen) == len(set(seen)) == 6


def test_lists_do_not_ask_for_each_row(cast: Cast, django_assert_num_queries: Any) -> None:
    api = cast.api(cast.anna)
    with django_assert_num_queries(2):
        assert len(api.get(USERS).json()) == 6


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("anna", ["Ольга", "Сергей"]),
        ("sergei", ["Сергей"]),
        ("ivan", ["Сергей"]),
        ("timur", ["Ольга"]),
    ],
)
def test_supervisors_to_hand_over_to(cast: Cast, who: str, expected: list[str]) -> None:
    api: APIClient = cast.api(getattr(cast, who))
    rows = api.get(SUPERVISORS).json()
    assert [row["full_name"].split()[0] for row in rows] == expected
    assert set(rows[0]) == {"id", "full_name", "city_id", "city"}
    # Somebody company-wide takes objects of every city; somebody blocked takes none.
    User.objects.filter(pk=cast.olga.pk).update(city=None)
    User.objects.filter(pk=cast.sergei.pk).update(is_active=False)
    if who != "sergei":
        assert names(api.get(SUPERVISORS)) == ["Ольга"]


def test_supervisors_are_found_by_name_only(cast: Cast) -> None:
    for person in (cast.anna, cast.ivan):
        api = cast.api(person)
        assert names(api.get(f"{SUPERVISORS}?q=серг")) == ["Сергей"]
        assert names(api.get(f"{SUPERVISORS}?q=sergei")) == []
        assert api.get(f"{SUPERVISORS}?role=ADMIN").status_code == 422
