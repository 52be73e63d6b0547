"""Objects through the API, as a client would."""

import pytest

from objects.models import Object
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_create_read_edit_delete_restore(cast: Cast) -> None:
    api = cast.api(cast.sergei)
    created = api.post(
        "/api/v1/objects",
        {
            "type": "MKD",
            "address": "ул. Ёлочная, д. 5",
            "contact_phone": "8 (999) 123-45-67",
            "tags": ["а"],
        },
    )
    assert created.status_code == 201, created.json()
    body = created.json()
    assert body["city"] == {"id": str(cast.moscow.pk), "name": "Москва"}
    assert body["contact_phone"] == "+79991234567"
    assert (body["version"], body["status"], body["created_by"]) == (1, "NEW", str(cast.sergei.pk))
    assert created["ETag"] == '"1"'
    path = f"/api/v1/objects/{body['id']}"
    edited = api.patch(path + "/", {"status": "INTEREST", "version": 1})
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    stale = api.patch(path, {"status": "DONE", "address": "ул. Другая, д. 6", "version": 1})
    assert stale.status_code == 409
    diff = stale.json()["error"]["details"]["diff"]
    assert diff["conflicting_fields"] == ["status"]
    assert diff["diff"] == {
        "status": {"server": "INTEREST", "client": "DONE"},
        "address": {"server": "ул. Ёлочная, д. 5", "client": "ул. Другая, д. 6"},
    }
    assert diff["resolution_hints"]["code"] == "HARD_CONFLICT"
    assert (diff["expected_version"], diff["current_version"]) == (1, 2)
    disjoint = api.patch(path, {"address": "ул. Другая, д. 6"}, headers={"if-match": '"1"'})
    assert (
        disjoint.json()["error"]["details"]["diff"]["resolution_hints"]["code"] == "STALE_VERSION"
    )
    forced = api.patch(path, {"status": "DONE", "version": 1, "force": True})
    assert (forced.status_code, forced.json()["status"]) == (200, "DONE")
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.post(f"{path}/restore").status_code == 403
    anna = cast.api(cast.anna)
    assert anna.get("/api/v1/objects?deleted=true").json()["total"] == 1
    assert anna.post(f"{path}/restore/").status_code == 200
    assert api.get(path).json()["version"] == 3


def test_search_is_blind_to_case_and_yo(cast: Cast) -> None:
    cast.object(address="ул. Ёлочная, д. 5")
    cast.object(address="ул. Сосновая, д. 5")
    api = cast.api(cast.ivan)
    for q in ("ёлочная", "ЕЛОЧН", "елоч центр", "моск ёло 5"):
        assert [o["address"] for o in api.get("/api/v1/objects", {"q": q}).json()["items"]] == [
            "ул. Ёлочная, д. 5"
        ]
    assert api.get("/api/v1/objects", {"q": "лочная"}).json()["total"] == 0


def test_an_engineer_sees_masks_and_sends_them_back(cast: Cast) -> None:
    record = cast.object(contact_phone="+79991234567")
    api = cast.api(cast.ivan)
    path = f"/api/v1/objects/{record.pk}"
    shown = api.get(path).json()
    assert shown["contact_phone"] == "+7 (***) ***-**67"
    same = api.patch(path, {"contact_phone": "+7 (***) ***-**67", "version": 1})
    assert (same.status_code, same.json()["version"]) == (200, 1)
    other = api.patch(path, {"contact_phone": "+7 (***) ***-**68", "version": 1})
    assert other.status_code == 422
    assert "contact_phone" in other.json()["error"]["details"]["fields"]
    assert Object.objects.get(pk=record.pk).contact_phone == "+79991234567"


def test_near_is_nearest_first(cast: Cast) -> None:
    near = cast.object(gps_lat=55.7558, gps_lng=37.6173)
    further = cast.object(gps_lat=55.7600, gps_lng=37.6173)
    cast.object(gps_lat=56.0, gps_lng=37.6)
    answer = cast.api(cast.sergei).get(
        "/api/v1/objects", {"near": "55.7558,37.6173", "radius": "1000"}
    )
    items = answer.json()["items"]
    assert [o["id"] for o in items] == [str(near.pk), str(further.pk)]
    assert items[1]["distance_m"] == pytest.approx(467, abs=3)


def test_unknown_things_are_refused_with_the_known_ones(cast: Cast) -> None:
    api = cast.api(cast.sergei)
    for query in (
        "colour=red",
        "sort=colour",
        "status=LOST",
        "limit=0",
        "limit=1001",
        "city_id=x",
        "near=1",
    ):
        answer = api.get(f"/api/v1/objects?{query}")
        assert answer.status_code == 422, query
    assert "updated_from" in str(api.get("/api/v1/objects?colour=red").json())
    assert api.get("/api/v1/objects/not-an-id").status_code == 404
