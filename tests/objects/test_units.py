"""Units through the API."""

from typing import Any

import pytest

from tests.cast import Cast
from tests.contracts.envelope import invalid, refused

pytestmark = pytest.mark.django_db

URL = "/api/v1/units"


def test_a_number_is_unique_among_live_units_of_the_object(cast: Cast) -> None:
    one, other = cast.object(), cast.object()
    api = cast.api(cast.sergei)
    first = api.post(URL, {"object_id": str(one.pk), "unit_number": " 12 "}).json()
    assert first["unit_number"] == "12"
    again = {"object_id": str(one.pk), "unit_number": "12"}
    details = refused(api.post(URL, again), 409, "DUPLICATE")
    assert details == {"field": "unit_number", "existing_id": first["id"]}
    assert api.post(URL, {**again, "object_id": str(other.pk)}).status_code == 201
    second = api.post(URL, {**again, "unit_number": "13"}).json()
    answer = api.patch(f"{URL}/{second['id']}", {"unit_number": "12"})
    assert refused(answer, 409, "DUPLICATE")["field"] == "unit_number"
    assert api.delete(f"{URL}/{first['id']}").status_code == 204
    assert api.patch(f"{URL}/{second['id']}", {"unit_number": "12"}).status_code == 200
    details = refused(cast.api(cast.anna).post(f"{URL}/{first['id']}/restore"), 409)
    assert details["clashes"] == [
        {
            "entity_type": "unit",
            "id": first["id"],
            "field": "unit_number",
            "existing_id": second["id"],
        }
    ]


def test_the_object_of_a_unit_never_changes(cast: Cast) -> None:
    one, other = cast.object(), cast.object()
    unit = cast.unit(one)
    for user in (cast.anna, cast.sergei, cast.ivan):
        path = f"{URL}/{unit.pk}"
        invalid(cast.api(user).patch(path, {"object_id": str(other.pk)}), "object_id")
        same = cast.api(user).patch(path, {"object_id": str(one.pk)})
        assert (same.status_code, same.json()["version"]) == (200, 1)


def test_engineers_create_and_edit_but_do_not_delete(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    body = api.post(URL, {"object_id": str(cast.object().pk), "unit_number": "7"}).json()
    path = f"{URL}/{body['id']}"
    assert api.patch(path, {"floor": -1, "entrance": 2}).json()["floor"] == -1
    refused(api.delete(path), 403)
    refused(api.post(f"{path}/restore"), 403)
    assert body["object"]["address"].startswith("ул. Тверская")


BAD: list[dict[str, Any]] = [
    {"unit_number": ""}, {"unit_number": "  "}, {"unit_number": None}, {"unit_number": 12},
    {"unit_number": "1" * 33}, {"floor": 501}, {"floor": "3"}, {"floor": 2.5}, {"floor": True},
    {"floor": 10**30}, {"entrance": -1}, {"attributes": []}, {"attributes": "x"}, {"attributes": None},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_bad_values(cast: Cast, bad: dict[str, Any]) -> None:
    unit = cast.unit(cast.object())
    api = cast.api(cast.ivan)
    for answer in (
        api.patch(f"{URL}/{unit.pk}", bad),
        api.post(URL, {"object_id": str(unit.object_id), "unit_number": "99", **bad}),
    ):
        invalid(answer, *bad)


def test_attributes_hold_any_json_and_nothing_that_breaks_the_database(cast: Cast) -> None:
    unit = cast.unit(cast.object())
    api, path = cast.api(cast.ivan), f"{URL}/{unit.pk}"
    value = {"домофон": "12К", "список": [1, 2.5, None, True, {"🏠": ""}], "": "пусто"}
    assert api.patch(path, {"attributes": value}).json()["attributes"] == value
    deep = '{"attributes": {"a": ' + "[" * 1000 + "]" * 1000 + "}}"
    huge = '{"attributes": {"a": 1e999}}'
    wide = '{"attributes": {"a": ' + "9" * 400 + "}}"
    far = '{"attributes": {"a": 123456789012345678901234567890}}'
    beyond = '{"attributes": {"a": [9007199254740992]}}'
    for raw in (deep, huge, wide, far, beyond):
        answer = api.generic("PATCH", path, raw.encode(), content_type="application/json")
        assert answer.status_code in {200, 400, 422}, (raw[:60], answer.content)
        assert api.get(path).status_code == 200


def test_number_filter(cast: Cast) -> None:
    parent = cast.object()
    for number in ("1", "2", "3"):
        cast.unit(parent, unit_number=number)
    cast.unit(cast.object(), unit_number="1")
    api = cast.api(cast.ivan)
    query = f"object_id={parent.pk}&unit_number=1,3&sort=unit_number"
    assert [u["unit_number"] for u in api.get(f"{URL}?{query}").json()["items"]] == ["1", "3"]
