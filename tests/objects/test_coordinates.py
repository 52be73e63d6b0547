"""Coordinates are stored to a tenth of a millimetre, through whichever door they come.

And whoever writes past the doors breaks nothing: PostgreSQL refuses products that underflow.
"""

import io
import random
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from crm.geo import coordinate
from objects.models import Object
from tests.cast import Cast
from tests.contracts.envelope import invalid
from tests.office.desk import desk
from tests.sync.pushing import item, push, statuses
from visits.models import Visit

pytestmark = pytest.mark.django_db

TINY = (1e-155, 1e-160, 1e-200, 1e-300, 5e-324, 0.0)
MANY = 300


def tiny_places() -> list[tuple[float, float]]:
    """So many that the index has to split its pages."""
    chance = random.Random(1)
    return [
        (chance.choice(TINY) * chance.random(), chance.choice(TINY) * chance.uniform(-1, 1))
        for _ in range(MANY)
    ]


def stored() -> set[tuple[Any, Any]]:
    return set(Object.objects.values_list("gps_lat", "gps_lng"))


def test_nine_decimals_and_no_negative_zero() -> None:
    assert coordinate(55.123456789012) == 55.123456789
    assert coordinate(-90.0) == -90
    assert str(coordinate(-1e-200)) == "0.0"
    assert coordinate(coordinate(37.61730000049)) == coordinate(37.61730000049)


def test_by_the_api(cast: Cast) -> None:
    api = cast.api(cast.sergei)
    body = {"type": "CAFE", "address": "ул. Малая, д. 1", "gps_lat": 1e-200, "gps_lng": -5e-324}
    made = api.post("/api/v1/objects", body)
    assert made.status_code == 201
    assert stored() == {(0.0, 0.0)}
    path = f"/api/v1/objects/{made.json()['id']}"
    precise = {"gps_lat": 55.7558261234999, "gps_lng": 37.6172999}
    first = api.patch(path, precise).json()
    assert (first["gps_lat"], first["gps_lng"], first["version"]) == (55.755826123, 37.6172999, 2)
    # The same again is no change, although the row holds fewer digits.
    assert api.patch(path, precise).json()["version"] == 2
    invalid(api.patch(path, {"gps_lat": 90.00000001}), "gps_lat")


def test_by_a_phone_whose_float_two_clients_send(cast: Cast) -> None:
    """Both set the same value: no conflict."""
    house = cast.object()
    place = {"gps_lat": 55.75582612349991, "gps_lng": 37.617299900000123}
    for api in (cast.api(cast.ivan), cast.api(cast.sergei)):
        assert statuses(push(api, item("objects", house.pk, 1, **place))) == ["updated"]
    house.refresh_from_db()
    assert (house.gps_lat, house.gps_lng, house.version) == (55.755826123, 37.6172999, 2)
    visit = cast.visit(house, cast.ivan)
    where = {"geo_captured_lat": 1e-200, "geo_captured_lng": 179.9999999999}
    push(cast.api(cast.ivan), item("visits", visit.pk, 1, **where))
    assert Visit.objects.values_list("geo_captured_lat", "geo_captured_lng").get() == (0, 180)


def test_many_neighbours_by_a_phone(cast: Cast) -> None:
    items = [
        item("objects", address=f"ул. Малая, д. {number}", gps_lat=lat, gps_lng=lng)
        for number, (lat, lng) in enumerate(tiny_places())
    ]
    assert statuses(push(cast.api(cast.ivan), *items)) == ["created"] * MANY
    assert stored() == {(0.0, 0.0)}


def test_many_neighbours_by_a_file(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    rows = [
        f"Малая {number + 1};{lat!r};{lng!r}" for number, (lat, lng) in enumerate(tiny_places())
    ]
    file.write_text("\n".join(["address;gps_lat;gps_lng", *rows, ""]))
    call_command("import_objects", file, city=cast.moscow.name, stdout=io.StringIO())
    assert Object.objects.count() == MANY
    assert stored() == {(0.0, 0.0)}


def test_in_the_back_office(cast: Cast) -> None:
    form = {"type": "MKD", "status": "NEW", "address": "ул. Малая, д. 1", "city": cast.moscow.pk}
    place = {"gps_lat": "55.7558261234999", "gps_lng": "-1e-200"}
    answer = desk(cast.sergei).post("/admin/objects/object/add/", {**form, **place, "_save": "1"})
    assert answer.status_code == 302
    assert stored() == {(55.755826123, 0.0)}


def test_past_every_door_nobody_else_is_harmed(cast: Cast) -> None:
    """A script of the administrator's, or a row that was there before."""
    places = tiny_places()
    for _ in range(4):
        Object.objects.bulk_create(
            Object(type="MKD", address="ул. Мимо", city=cast.moscow, gps_lat=lat, gps_lng=lng)
            for lat, lng in places
        )
    api = cast.api(cast.anna)
    body = {"type": "CAFE", "address": "ул. Малая, д. 1", "gps_lat": 1e-9, "gps_lng": -1e-9}
    for city in (cast.moscow, cast.kazan):
        assert api.post("/api/v1/objects", {**body, "city_id": str(city.pk)}).status_code == 201
    for query in (
        {"near": "0,0", "radius": "1"},
        {"bbox": "-0.000000001,0,0.000000001,0.000000001"},
    ):
        assert api.get("/api/v1/objects", query).json()["total"] >= 2
    Object.objects.update(gps_lat=5e-324, gps_lng=-5e-324)
    assert api.get("/api/v1/objects", {"near": "0,0"}).json()["total"] == 4 * MANY + 2


@pytest.mark.parametrize("edge", [55.755826123, 37.617299901, 0.000000001, 179.999999999])
def test_the_edges_of_a_box_belong_to_it(cast: Cast, edge: float) -> None:
    """However PostgreSQL reckons: what lies on the edge is in, a tenth of a millimetre beyond is not."""
    lat, step = coordinate(edge / 4), 1e-9
    cast.object(gps_lat=lat, gps_lng=edge)
    for west, east, count in (
        (edge, edge, 1),
        (edge - step, edge, 1),
        (edge - 2 * step, edge - step, 0),
    ):
        for south, north, held in (
            (lat, lat, 1),
            (lat, lat + step, 1),
            (lat + step, lat + 2 * step, 0),
        ):
            bbox = f"{west:.9f},{south:.9f},{east:.9f},{north:.9f}"
            answer = cast.api(cast.anna).get("/api/v1/objects", {"bbox": bbox})
            assert answer.json()["total"] == count * held, bbox


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400])
def test_numbers_beyond_every_float_are_refused(cast: Cast, number: str) -> None:
    raw = f'{{"type": "CAFE", "address": "ул. Малая", "gps_lat": {number}, "gps_lng": 0}}'
    api = cast.api(cast.sergei)
    answer = api.generic("POST", "/api/v1/objects", raw.encode(), content_type="application/json")
    assert answer.status_code in (400, 422), answer.content
