"""dictionaries/…: cities and districts, read by everybody, kept by administrators."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from crm import changes
from crm.changes import Action, Change
from crm.territory.models import City, District
from objects.models import Object
from tests.cast import Cast

pytestmark = pytest.mark.django_db

CITIES, DISTRICTS = "/api/v1/dictionaries/cities", "/api/v1/dictionaries/districts"


@pytest.fixture
def told() -> Iterator[list[Change]]:
    """What is reported to the change port during the test."""
    heard: list[Change] = []

    def listener(reported: Sequence[Change]) -> None:
        heard.extend(reported)

    changes.listen(listener)
    yield heard
    changes.forget(listener)


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [row["name"] for row in answer.json()]


def test_everybody_reads_all_of_it(cast: Cast) -> None:
    for person in cast.everyone:
        api = cast.api(person)
        assert names(api.get(CITIES)) == ["Казань", "Москва"]
        assert names(api.get(DISTRICTS)) == ["Вахитовский", "Северный", "Центральный"]
        assert names(api.get(f"{DISTRICTS}?city_id={cast.moscow.pk}")) == [
            "Северный",
            "Центральный",
        ]
    assert cast.api(None).get(CITIES).status_code == 401


def test_shapes(cast: Cast) -> None:
    city = cast.api(cast.ivan).get(f"{CITIES}/{cast.kazan.pk}").json()
    assert set(city) == {"id", "name", "time_zone", "created_at", "updated_at"}
    assert (city["name"], city["time_zone"]) == ("Казань", "Europe/Moscow")
    district = cast.api(cast.ivan).get(f"{DISTRICTS}/{cast.north.pk}").json()
    assert set(district) == {"id", "name", "city_id", "city", "created_at", "updated_at"}
    assert district["city"] == {"id": str(cast.moscow.pk), "name": "Москва"}


@pytest.mark.parametrize("path", [CITIES, DISTRICTS])
@pytest.mark.parametrize("unknown", ["nonsense", str(uuid4())])
def test_what_is_not_there(cast: Cast, path: str, unknown: str) -> None:
    api = cast.api(cast.anna)
    assert api.get(f"{path}/{unknown}").status_code == 404
    assert api.patch(f"{path}/{unknown}", {"name": "x"}).status_code == 404
    assert api.delete(f"{path}/{unknown}").status_code == 404


@pytest.mark.parametrize("query", ["page=1", "q=x", "city_id=x", "name=x"])
def test_unknown_parameters(cast: Cast, query: str) -> None:
    assert cast.api(cast.ivan).get(f"{DISTRICTS}?{query}").status_code == 422


def test_unchanged_is_304(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    for path in (CITIES, DISTRICTS, f"{DISTRICTS}?city_id={cast.moscow.pk}"):
        first = api.get(path)
        tag = first["ETag"]
        again = api.get(path, headers={"if-none-match": tag})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        assert api.get(path, headers={"if-none-match": f'"other", W/{tag}'}).status_code == 304
        assert api.get(path, headers={"if-none-match": '"other"'}).json() == first.json()
        # A new name of the city is news for its districts, too.
        City.objects.filter(pk=cast.moscow.pk).update(name=f"Москва {path[-6:]}")
        assert api.get(path, headers={"if-none-match": tag}).status_code == 200


def test_an_admin_keeps_them(cast: Cast, told: list[Change]) -> None:
    api = cast.api(cast.anna)
    city = api.post(CITIES, {"name": " Екатеринбург ", "time_zone": "Asia/Yekaterinburg"})
    assert city.status_code == 201
    assert city.json()["name"] == "Екатеринбург"
    district = api.post(DISTRICTS, {"name": "Ленинский", "city_id": city.json()["id"]})
    assert district.status_code == 201
    path = f"{CITIES}/{city.json()['id']}"
    assert api.patch(path, {"name": "Свердловск"}).json()["name"] == "Свердловск"
    assert api.patch(path, {"name": "Свердловск"}).status_code == 200
    assert api.delete(f"{DISTRICTS}/{district.json()['id']}").status_code == 204
    assert api.delete(path).status_code == 204
    assert [(change.action, change.entity_type) for change in told] == [
        (Action.CREATE, "city"),
        (Action.CREATE, "district"),
        (Action.UPDATE, "city"),
        (Action.DELETE, "district"),
        (Action.DELETE, "city"),
    ]
    assert {str(change.city_id) for change in told} == {city.json()["id"]}
    assert {change.origin.actor for change in told} == {cast.anna}
    assert told[2].before
    assert told[2].before["name"] == "Екатеринбург"


@pytest.mark.parametrize("who", ["sergei", "ivan"])
def test_nobody_else_does(cast: Cast, who: str) -> None:
    api = cast.api(getattr(cast, who))
    for path, entry in ((CITIES, cast.moscow), (DISTRICTS, cast.north)):
        assert api.post(path, {"name": "Новый", "city_id": str(cast.moscow.pk)}).status_code == 403
        assert api.patch(f"{path}/{entry.pk}", {"name": "Новый"}).status_code == 403
        assert api.delete(f"{path}/{entry.pk}").status_code == 403
    assert not City.objects.filter(name="Новый").exists()


@pytest.mark.parametrize(
    ("path", "values", "field"),
    [
        (CITIES, {"name": ""}, "name"),
        (CITIES, {"name": None}, "name"),
        (CITIES, {"name": "x" * 201}, "name"),
        (CITIES, {"name": "x", "time_zone": "Europe/Nowhere"}, "time_zone"),
        (CITIES, {"name": "x", "time_zone": "../etc/passwd"}, "time_zone"),
        (DISTRICTS, {"name": "x", "city_id": None}, "city_id"),
        (DISTRICTS, {"name": "x", "city_id": str(uuid4())}, "city_id"),
    ],
)
def test_bad_values(cast: Cast, path: str, values: dict[str, Any], field: str) -> None:
    answer = cast.api(cast.anna).post(path, values, format="json")
    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]["fields"]) == [field]


def test_names_are_unique(cast: Cast) -> None:
    api = cast.api(cast.anna)
    for answer in (
        api.post(CITIES, {"name": "Москва"}),
        api.patch(f"{CITIES}/{cast.kazan.pk}", {"name": "Москва"}),
    ):
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "DUPLICATE"
        expected = {"field": "name", "existing_id": str(cast.moscow.pk)}
        assert answer.json()["error"]["details"] == expected
    body = {"name": "Северный", "city_id": str(cast.moscow.pk)}
    assert api.post(DISTRICTS, body).json()["error"]["code"] == "DUPLICATE"
    # Each city may have a northern district.
    assert api.post(DISTRICTS, {**body, "city_id": str(cast.kazan.pk)}).status_code == 201


def test_what_is_in_use_stays(cast: Cast) -> None:
    api = cast.api(cast.anna)
    for path in (f"{CITIES}/{cast.moscow.pk}", f"{DISTRICTS}/{cast.north.pk}"):
        answer = api.delete(path)
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "CONFLICT"
        assert "users" in answer.json()["error"]["details"]["in_use_by"]
    # Also by an object that is deleted: it may be restored.
    district = District.objects.create(name="Новый", city=cast.moscow)
    built = cast.object(district=district)
    assert api.delete(f"/api/v1/objects/{built.pk}").status_code == 204
    assert api.delete(f"{DISTRICTS}/{district.pk}").status_code == 409
    assert District.objects.filter(pk=district.pk).exists()


def test_a_district_in_use_stays_in_its_city(cast: Cast) -> None:
    api = cast.api(cast.anna)
    to_kazan = {"city_id": str(cast.kazan.pk)}
    assert api.patch(f"{DISTRICTS}/{cast.north.pk}", to_kazan).status_code == 409
    district = District.objects.create(name="Новый", city=cast.moscow)
    built = cast.object(district=district)
    assert api.patch(f"{DISTRICTS}/{district.pk}", to_kazan).status_code == 409
    Object.objects.filter(pk=built.pk).update(district=None)
    assert api.patch(f"{DISTRICTS}/{district.pk}", to_kazan).json()["city"]["name"] == "Казань"


@pytest.mark.django_db(transaction=True)
def test_deleting_a_city_while_somebody_moves_in(
    cast: Cast, run_together: Callable[..., list[Any]]
) -> None:
    empty = City.objects.create(name="Пустой")

    def delete() -> int:
        return int(cast.api(cast.anna).delete(f"{CITIES}/{empty.pk}").status_code)

    def settle() -> int:
        body = {"name": "Первый", "city_id": str(empty.pk)}
        return int(cast.api(cast.anna).post(DISTRICTS, body).status_code)

    deleted, settled = run_together(delete, settle)
    assert (deleted, settled) in {(204, 422), (204, 409), (409, 201)}


def test_lists_do_not_ask_for_each_row(cast: Cast, django_assert_num_queries: Any) -> None:
    api = cast.api(cast.ivan)
    with django_assert_num_queries(2):
        assert len(api.get(DISTRICTS).json()) == 3
