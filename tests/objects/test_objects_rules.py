"""What may be written into an object, by whom."""

from typing import Any
from uuid import uuid4

import pytest

from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object
from tests.cast import Cast, person
from tests.contracts.envelope import invalid, refused

pytestmark = pytest.mark.django_db

URL = "/api/v1/objects"
NEW: dict[str, Any] = {"type": "CAFE", "address": "ул. Ёлочная, д. 5"}


def test_an_engineers_object_lies_in_their_own_district_by_default(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    for given in ({}, {"city_id": str(cast.moscow.pk)}, {"district_id": str(cast.centre.pk)}):
        body = api.post(URL, {**NEW, **given}).json()
        assert body.get("city_id") == str(cast.moscow.pk), body
        assert body["district"] == {"id": str(cast.centre.pk), "name": "Центральный"}
        assert (body["status"], body["tags"], body["visits_count"]) == ("NEW", [], 0)


def test_nobody_creates_outside_of_their_territory(cast: Cast) -> None:
    ivan, sergei = cast.api(cast.ivan), cast.api(cast.sergei)
    invalid(ivan.post(URL, {**NEW, "district_id": str(cast.north.pk)}), "district_id")
    invalid(
        ivan.post(URL, {**NEW, "district_id": None, "city_id": str(cast.moscow.pk)}), "district_id"
    )
    kazan = {"city_id": str(cast.kazan.pk), "district_id": str(cast.vakhitovsky.pk)}
    invalid(ivan.post(URL, {**NEW, **kazan}), "city_id")
    invalid(sergei.post(URL, {**NEW, **kazan}), "city_id")
    assert cast.api(cast.anna).post(URL, {**NEW, **kazan}).status_code == 201
    invalid(cast.api(cast.anna).post(URL, NEW), "city_id")


def test_an_engineer_without_territory_creates_nothing(cast: Cast) -> None:
    nobody = person("nobody@crm.test", "Никто", Role.ENGINEER)
    invalid(cast.api(nobody).post(URL, NEW), "city_id")
    whole_city = person("city@crm.test", "Городской", Role.ENGINEER, city=cast.moscow)
    body = cast.api(whole_city).post(URL, {**NEW, "district_id": str(cast.north.pk)}).json()
    assert body["district_id"] == str(cast.north.pk)


def test_the_district_lies_in_the_city(cast: Cast) -> None:
    anna, record = cast.api(cast.anna), cast.object()
    path = f"{URL}/{record.pk}"
    mixed = {"city_id": str(cast.moscow.pk), "district_id": str(cast.vakhitovsky.pk)}
    invalid(anna.post(URL, {**NEW, **mixed}), "district_id")
    invalid(anna.patch(path, {"district_id": str(cast.vakhitovsky.pk)}), "district_id")
    invalid(anna.patch(path, {"city_id": str(cast.kazan.pk)}), "district_id")
    both = {"city_id": str(cast.kazan.pk), "district_id": str(cast.vakhitovsky.pk)}
    assert anna.patch(path, both).json()["city"]["name"] == "Казань"
    assert anna.patch(path, {"district_id": None}).json()["district"] is None
    for field in ("city_id", "district_id"):
        invalid(anna.patch(path, {field: str(uuid4())}), field)


def test_a_supervisor_cannot_move_an_object_out_of_the_city(cast: Cast) -> None:
    record = cast.object()
    away = {"city_id": str(cast.kazan.pk), "district_id": None}
    invalid(cast.api(cast.sergei).patch(f"{URL}/{record.pk}", away), "city_id")
    inside = {"district_id": str(cast.north.pk)}
    assert cast.api(cast.sergei).patch(f"{URL}/{record.pk}", inside).status_code == 200


def test_an_engineer_edits_all_but_people_and_places(cast: Cast) -> None:
    api, record = cast.api(cast.ivan), cast.object()
    path = f"{URL}/{record.pk}"
    for change in (
        {"responsible_user_id": str(cast.ivan.pk)},
        {"district_id": str(cast.north.pk)},
        {"district_id": None},
        {"city_id": str(cast.kazan.pk)},
    ):
        details = refused(api.patch(path, change), 403)
        assert details["fields"] == list(change)
    same = {
        "city_id": str(cast.moscow.pk),
        "district_id": str(cast.centre.pk),
        "responsible_user_id": None,
    }
    assert api.patch(path, {**same, "status": "INTEREST"}).json()["version"] == 2
    refused(api.delete(path), 403)
    refused(api.post(URL, {**NEW, "responsible_user_id": str(cast.sergei.pk)}), 403)
    assert api.post(URL, {**NEW, "responsible_user_id": str(cast.ivan.pk)}).status_code == 201


def test_the_responsible_person_is_active_and_in_sight(cast: Cast) -> None:
    sergei, anna, record = cast.api(cast.sergei), cast.api(cast.anna), cast.object()
    path = f"{URL}/{record.pk}"
    invalid(sergei.patch(path, {"responsible_user_id": str(cast.timur.pk)}), "responsible_user_id")
    invalid(sergei.patch(path, {"responsible_user_id": str(uuid4())}), "responsible_user_id")
    User.objects.filter(pk=cast.pyotr.pk).update(is_active=False)
    for api in (sergei, anna):
        invalid(api.patch(path, {"responsible_user_id": str(cast.pyotr.pk)}), "responsible_user_id")
        invalid(
            api.post(
                URL,
                {**NEW, "city_id": str(cast.moscow.pk), "responsible_user_id": str(cast.pyotr.pk)},
            ),
            "responsible_user_id",
        )
    body = sergei.patch(path, {"responsible_user_id": str(cast.ivan.pk)}).json()
    assert body["responsible_user"] == {"id": str(cast.ivan.pk), "full_name": "Иван Центров"}
    # Who leaves stays named, and their objects stay editable.
    User.objects.filter(pk=cast.ivan.pk).update(is_active=False)
    assert (
        sergei.patch(path, {"responsible_user_id": str(cast.ivan.pk), "tags": ["а"]}).status_code
        == 200
    )


def test_delegation(cast: Cast) -> None:
    record = cast.object(responsible_user=cast.ivan)
    path = f"{URL}/{record.pk}/delegate"
    ivan = cast.api(cast.ivan)
    company = person("company@crm.test", "Всей компании", Role.SUPERVISOR)
    asleep = person(
        "asleep@crm.test", "Уволенный", Role.SUPERVISOR, city=cast.moscow, is_active=False
    )
    for target in (cast.olga, cast.ivan, cast.pyotr, cast.anna, asleep):
        invalid(ivan.post(f"{path}?supervisor_id={target.pk}"), "supervisor_id")
    for bad in ("", "?supervisor_id=", "?supervisor_id=x", f"?supervisor_id={uuid4()}"):
        invalid(ivan.post(f"{path}{bad}"), "supervisor_id")
    refused(cast.api(cast.pyotr).post(f"{path}?supervisor_id={cast.sergei.pk}"), 404)
    refused(cast.api(cast.olga).post(f"{path}?supervisor_id={cast.olga.pk}"), 404)
    body = ivan.post(f"{path}/?supervisor_id={cast.sergei.pk}").json()
    assert (body["responsible_user_id"], body["version"]) == (str(cast.sergei.pk), 2)
    refused(ivan.post(f"{path}?supervisor_id={company.pk}"), 403)
    assert cast.api(cast.sergei).post(f"{path}?supervisor_id={company.pk}").status_code == 200


def test_my_tasks(cast: Cast) -> None:
    mine = cast.object(responsible_user=cast.ivan, status="INTEREST")
    far = cast.object(city=cast.kazan, responsible_user=cast.ivan)
    cast.object(responsible_user=cast.sergei)
    gone = cast.object(responsible_user=cast.ivan)
    assert cast.api(cast.anna).delete(f"{URL}/{gone.pk}").status_code == 204
    api = cast.api(cast.ivan)
    assert {o["id"] for o in api.get(f"{URL}/my-tasks").json()["items"]} == {
        str(mine.pk),
        str(far.pk),
    }
    assert api.get(f"{URL}/my-tasks/?status=INTEREST").json()["total"] == 1


def test_both_coordinates_or_neither(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    invalid(api.post(URL, {**NEW, "gps_lat": 55.7}), "gps_lng")
    invalid(api.post(URL, {**NEW, "gps_lng": 37.6}), "gps_lat")
    for bad in (
        {"gps_lat": 90.01, "gps_lng": 0},
        {"gps_lat": "55.7", "gps_lng": 0},
        {"gps_lat": True, "gps_lng": 0},
    ):
        invalid(api.post(URL, {**NEW, **bad}), "gps_lat")
    body = api.post(URL, {**NEW, "gps_lat": 90, "gps_lng": -180}).json()
    assert (body["gps_lat"], body["gps_lng"]) == (90.0, -180.0)
    path = f"{URL}/{body['id']}"
    invalid(api.patch(path, {"gps_lat": None}), "gps_lat")
    assert api.patch(path, {"gps_lat": None, "gps_lng": None}).json()["gps_lat"] is None


BAD = [
    {"address": "ул"},
    {"address": "    ул    "},
    {"address": "х" * 501},
    {"address": None},
    {"address": 5},
    {"type": "CASTLE"},
    {"type": None},
    {"status": "LOST"},
    {"tags": "а"},
    {"tags": [1]},
    {"tags": [""]},
    {"tags": [["а"]]},
    {"tags": ["а"] * 51 + [str(i) for i in range(51)]},
    {"contact_phone": "12"},
    {"contact_phone": "не телефон"},
    {"city_id": "x"},
    {"city_id": None},
    {"responsible_user_id": 5},
    {"contact_name": "х" * 201},
    {"gps_lat": 1e999, "gps_lng": 0},
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:40])
def test_bad_values_are_refused_on_create_and_edit(cast: Cast, bad: dict[str, Any]) -> None:
    record = cast.object()
    api = cast.api(cast.sergei)
    if 1e999 in bad.values():
        raw = b'{"type": "CAFE", "address": "long enough", "gps_lat": 1e999, "gps_lng": 0}'
        answers = [api.generic("POST", URL, raw, content_type="application/json")]
    else:
        answers = [api.patch(f"{URL}/{record.pk}", bad)]
        if bad != {"city_id": None}:
            answers.append(api.post(URL, {**NEW, **bad}))
    for answer in answers:
        assert answer.status_code in {400, 422}, answer.json()
        refused(answer, answer.status_code)
    assert Object.objects.get(pk=record.pk).version == 1


TEXTS = [
    "ул. Ёлочная, д. 5 🏠👩‍👩‍👧",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 улица",
    "اسم الشارع",
    "ул. «O'Neill\\n%s{}» <b>",
    "5 ул. \u0301Е\u0308лка",
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_survives_and_is_found(cast: Cast, text: str) -> None:
    api = cast.api(cast.sergei)
    body = api.post(URL, {**NEW, "address": text, "contact_name": text, "tags": [text]}).json()
    shown = api.get(f"{URL}/{body['id']}").json()
    assert (shown["address"], shown["contact_name"], shown["tags"]) == (text, text, [text])
    assert text in api.get(f"{URL}/{body['id']}").content.decode().replace('\\"', '"').replace(
        "\\\\", "\\"
    )
    assert api.get(URL, {"q": text}).json()["total"] == 1
    if "," not in text:
        assert api.get(URL, {"tags": text}).json()["total"] == 1


def test_what_the_server_keeps_cannot_be_written(cast: Cast) -> None:
    record = cast.object()
    path = f"{URL}/{record.pk}"
    api = cast.api(cast.sergei)
    before = api.get(path).json()
    forged = {
        "id": str(uuid4()),
        "visits_count": 9,
        "last_visit_at": "2026-01-01T00:00:00Z",
        "created_at": "2001-01-01T00:00:00Z",
        "updated_at": "2001-01-01T00:00:00Z",
        "created_by": str(cast.olga.pk),
        "updated_by": str(cast.olga.pk),
        "deleted_at": "2001-01-01T00:00:00Z",
        "field_versions": {"address": 9},
        "feed_position": 7,
        "search_text": "x",
    }
    assert api.patch(path, forged).json() == before
    assert api.get(path).json() == before
    created = api.post(URL, {**NEW, **forged, "version": 7}).json()
    assert created["version"] == 1
    assert created["id"] != forged["id"]
    assert created["created_by"] == created["updated_by"] == str(cast.sergei.pk)


def test_created_by_and_updated_by(cast: Cast) -> None:
    body = cast.api(cast.ivan).post(URL, NEW).json()
    edited = cast.api(cast.sergei).patch(f"{URL}/{body['id']}", {"status": "DONE"}).json()
    assert (edited["created_by"], edited["updated_by"]) == (str(cast.ivan.pk), str(cast.sergei.pk))


def test_blank_texts_are_absent(cast: Cast) -> None:
    body = cast.api(cast.ivan).post(URL, {**NEW, "contact_name": "  ", "contact_phone": ""}).json()
    assert (body["contact_name"], body["contact_phone"]) == (None, None)
