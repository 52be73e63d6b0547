"""Customers through the API: phones above all."""

from typing import Any

import pytest

from clients.models import Customer
from tests.cast import Cast
from tests.contracts.envelope import invalid, refused

pytestmark = pytest.mark.django_db

URL = "/api/v1/customers"
SPELLINGS = [
    "8 (999) 123-45-67", "+7 999 1234567", "+79991234567", "89991234567", "7 999 123 45 67",
    " +7-999-123-45-67 ", "9991234567", "+7\u00a0999\u00a0123\u201145\u201167",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_spellings_are_one_phone(cast: Cast, spelling: str) -> None:
    parent = cast.object()
    api = cast.api(cast.sergei)
    first = api.post(URL, {"object_id": str(parent.pk), "phone": "+79991234567"}).json()
    other = api.post(URL, {"object_id": str(parent.pk), "full_name": "Без телефона"}).json()
    again = {"object_id": str(parent.pk), "phone": spelling}
    details = refused(api.post(URL, again), 409, "DUPLICATE")
    assert details == {"field": "phone", "existing_id": first["id"]}
    details = refused(api.patch(f"{URL}/{other['id']}", {"phone": spelling}), 409, "DUPLICATE")
    assert details["existing_id"] == first["id"]
    same = api.patch(f"{URL}/{first['id']}", {"phone": spelling, "version": 1}).json()
    assert (same["phone"], same["version"]) == ("+79991234567", 1)
    for query in ({"phone": spelling}, {"filters[phone]": spelling}, {"q": spelling}):
        assert [c["id"] for c in api.get(URL, query).json()["items"]] == [first["id"]], query


def test_a_plus_that_was_not_encoded(cast: Cast) -> None:
    customer = cast.customer(cast.object(), phone="+79991234567")
    cast.customer(cast.object(), phone="+499991234567")
    api = cast.api(cast.ivan)
    for query in ("phone=+79991234567", "filters[phone]=+7%20999%201234567", "q=+79991234567"):
        assert [c["id"] for c in api.get(f"{URL}?{query}").json()["items"]] == [str(customer.pk)], (
            query
        )
    # Without the plus this would be read as a Russian number.
    assert api.get(f"{URL}?phone=+499991234567").json()["total"] == 1
    assert api.get(f"{URL}?sort=+full_name").status_code == 200


def test_a_phone_is_free_again_after_its_owner_is_deleted(cast: Cast) -> None:
    parent = cast.object()
    api = cast.api(cast.sergei)
    for _ in range(3):
        body = api.post(URL, {"object_id": str(parent.pk), "phone": "+79991234567"}).json()
        assert api.delete(f"{URL}/{body['id']}").status_code == 204
    assert Customer.objects.filter(phone="+79991234567").count() == 3
    nobody = [
        api.post(URL, {"object_id": str(parent.pk), "phone": None}).status_code for _ in range(2)
    ]
    assert nobody == [201, 201]


def test_a_duplicate_out_of_sight_is_not_told(cast: Cast) -> None:
    hidden = cast.customer(cast.object(city=cast.kazan), phone="+79991234567")
    mine = cast.customer(cast.object())
    body = {"object_id": str(mine.object_id), "phone": "8 999 123 45 67"}
    for user in (cast.sergei, cast.ivan):
        answer = cast.api(user).post(URL, body)
        assert refused(answer, 409, "DUPLICATE") == {"field": "phone"}
        patched = cast.api(user).patch(f"{URL}/{mine.pk}", {"phone": body["phone"]})
        assert refused(patched, 409, "DUPLICATE") == {"field": "phone"}
        for found in (answer, patched):
            assert str(hidden.pk) not in found.content.decode()
            assert "9991234567" not in found.content.decode()
    details = refused(cast.api(cast.anna).post(URL, body), 409, "DUPLICATE")
    assert details["existing_id"] == str(hidden.pk)


def test_object_and_unit(cast: Cast) -> None:
    one, other = cast.object(), cast.object()
    unit, foreign_unit = cast.unit(one), cast.unit(other)
    api = cast.api(cast.ivan)
    invalid(api.post(URL, {"full_name": "x"}), "object_id")
    invalid(api.post(URL, {"object_id": str(one.pk), "unit_id": str(foreign_unit.pk)}), "unit_id")
    body = api.post(URL, {"object_id": str(one.pk), "unit_id": str(unit.pk)}).json()
    assert body["unit"] == {"id": str(unit.pk), "unit_number": unit.unit_number}
    path = f"{URL}/{body['id']}"
    invalid(api.patch(path, {"unit_id": str(foreign_unit.pk)}), "unit_id")
    assert api.patch(path, {"unit_id": None}).json()["unit"] is None
    for user in (cast.ivan, cast.sergei, cast.anna):
        invalid(cast.api(user).patch(path, {"object_id": str(other.pk)}), "object_id")


BAD: list[dict[str, Any]] = [
    {"provider_rating": 0}, {"provider_rating": 6}, {"provider_rating": "5"}, {"provider_rating": 4.5},
    {"interests": "TV"}, {"preferred_call_time": "24:00"},
    {"preferred_call_time": "9:00"}, {"preferred_call_time": "10:60"}, {"desired_price": -1},
    {"desired_price": "много"}, {"desired_price": 10**12}, {"desired_price": 1.234}, {"desired_price": "NaN"},
    {"gdpr_consent": None}, {"gdpr_consent": "yes"}, {"satisfied": 1}, {"phone": "+7999"},
    {"phone": "+7 999 123 45 67 890"}, {"phone": 79991234567}, {"phone": "+7 (***) ***-**11"},
    {"portrait_text": "х" * 10_001}, {"unit_id": "x"}, {"full_name": ["x"]},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:40])
def test_bad_values(cast: Cast, bad: dict[str, Any]) -> None:
    customer = cast.customer(cast.object())
    api = cast.api(cast.ivan)
    invalid(api.patch(f"{URL}/{customer.pk}", bad), *bad)
    invalid(api.post(URL, {"object_id": str(customer.object_id), **bad}), *bad)
    invalid(api.patch(f"{URL}/{customer.pk}", {"interests": ["TV", "PIZZA"]}), "interests.1")
    assert Customer.objects.get(pk=customer.pk).version == 1


def test_everything_survives_a_round_trip(cast: Cast) -> None:
    values: dict[str, Any] = {
        "full_name": "Ёжикова Алёна 🦔", "phone": "+4915112345678", "portrait_text": "Строка\nвторая 👍🏽",
        "current_provider": "Ромашка", "provider_rating": 5, "satisfied": False, "interests": ["CCTV", "TV"],
        "preferred_call_time": "23:59", "desired_price": 499.9, "notes": "𝔑", "gdpr_consent": True,
    }  # fmt: skip
    parent = cast.object()
    api = cast.api(cast.sergei)
    body = api.post(URL, {"object_id": str(parent.pk), **values}).json()
    shown = api.get(f"{URL}/{body['id']}").json()
    assert {name: shown[name] for name in values} == values
    assert "Ёжикова Алёна 🦔" in api.get(URL).content.decode()
    same = api.patch(f"{URL}/{body['id']}", {**values, "version": 1}).json()
    assert same["version"] == 1
    blank = dict.fromkeys((*values,), None) | {"interests": [], "gdpr_consent": False}
    empty = api.patch(f"{URL}/{body['id']}", blank).json()
    assert {name: empty[name] for name in values} == blank


def test_filters(cast: Cast) -> None:
    parent = cast.object()
    good = cast.customer(
        parent, provider_rating=5, satisfied=True, interests=["TV"], gdpr_consent=True
    )
    bad = cast.customer(parent, provider_rating=1, satisfied=False, interests=["TV", "CCTV"])
    silent = cast.customer(cast.object())
    api = cast.api(cast.sergei)

    def found(query: str) -> set[str]:
        answer = api.get(f"{URL}?{query}")
        assert answer.status_code == 200, answer.json()
        return {row["id"] for row in answer.json()["items"]}

    everyone = {str(good.pk), str(bad.pk), str(silent.pk)}
    assert (
        found("rating_min=5")
        == found("satisfied=true")
        == found("gdpr_consent=1")
        == {str(good.pk)}
    )
    assert (
        found("rating_max=4")
        == found("satisfied=false")
        == found("interests=CCTV")
        == {str(bad.pk)}
    )
    assert (
        found("interests=CCTV,TV")
        == found("rating_min=1&rating_max=5")
        == everyone - {str(silent.pk)}
    )
    assert found(f"object_id={parent.pk},{silent.object_id}") == everyone
    assert found("rating_min=-5&rating_max=99999999999999999999999") <= everyone
    for name, value in (
        ("rating_min", "x"),
        ("satisfied", "maybe"),
        ("interests", "PIZZA"),
        ("phone", "12"),
    ):
        invalid(api.get(f"{URL}?{name}={value}"), name)


def test_search(cast: Cast) -> None:
    parent = cast.object(address="ул. Ёлочная, д. 5")
    customer = cast.customer(
        parent, full_name="Фёдор О'Коннор-Смит", phone="+79991234567", portrait_text="Любит котов"
    )
    cast.customer(cast.object(), full_name="Другой")
    sergei, ivan = cast.api(cast.sergei), cast.api(cast.ivan)
    for q in ("федор", "ФЁДОР коннор", "смит елочн", "кот", "«Любит» (котов)!", "фёд елоч лю 5"):
        for api in (sergei, ivan):
            assert [c["id"] for c in api.get(URL, {"q": q}).json()["items"]] == [
                str(customer.pk)
            ], q
    for q in ("едор", "фёдор другой", "отов"):
        assert sergei.get(URL, {"search": q}).json()["total"] == 0, q
    for q in ("7999123", "8 999 123-45", "+7 (999) 123", "99912345"):
        assert sergei.get(URL, {"q": q}).json()["total"] == 1, q
        assert ivan.get(URL, {"q": q}).json()["total"] == 0, q
