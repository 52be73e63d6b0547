"""Distances and boxes: exact, at the poles and across the 180th meridian too, and served by an index."""

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crm.db import distance_m, in_boxes
from crm.geo import (
    EARTH_RADIUS_M,
    Box,
    InvalidCoordinates,
    boxes_around,
    haversine_m,
    parse_bbox,
    parse_point,
    split_bbox,
)
from tests.ground.scratch import Place, make_place_table, plan_of

HALF_WAY_ROUND = math.pi * EARTH_RADIUS_M
latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


def held(boxes: list[Box], lat: float, lng: float) -> bool:
    return any(box.south <= lat <= box.north and box.west <= lng <= box.east for box in boxes)


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        # On WGS 84 by Vincenty's formula: Moscow to Kazan, to Saint Petersburg, to Yekaterinburg.
        ((55.7558, 37.6173), (55.7963, 49.1088), 719_900),
        ((55.7558, 37.6173), (59.9311, 30.3609), 634_430),
        ((0, 0), (0, 180), HALF_WAY_ROUND),
        ((90, 0), (-90, 77), HALF_WAY_ROUND),
        ((90, 0), (90, 123), 0),
        ((10, 180), (10, -180), 0),
        ((0, 179.5), (0, -179.5), HALF_WAY_ROUND / 180),
    ],
)
def test_haversine(one: tuple[float, float], other: tuple[float, float], metres: float) -> None:
    assert haversine_m(*one, *other) == pytest.approx(metres, rel=0.005, abs=0.01)


@given(latitudes, longitudes, latitudes, longitudes)
def test_haversine_is_a_distance(lat1: float, lng1: float, lat2: float, lng2: float) -> None:
    there = haversine_m(lat1, lng1, lat2, lng2)
    assert 0 <= there <= HALF_WAY_ROUND
    assert there == pytest.approx(haversine_m(lat2, lng2, lat1, lng1), abs=1e-3)


@given(latitudes, longitudes, st.floats(0, 25_000_000), st.floats(0, 2 * math.pi), st.floats(0, 1))
@example(90.0, 0.0, 1000.0, 0.0, 1.0)
@example(-89.999, 179.999, 5000.0, 1.0, 1.0)
@example(0.0, 180.0, 1.0, math.pi / 2, 1.0)
def test_no_point_of_the_circle_is_outside_the_boxes(
    lat: float, lng: float, radius: float, bearing: float, share: float
) -> None:
    """Walk from the centre (the direct problem of spherical trigonometry) and look for the place."""
    angle = min(radius, HALF_WAY_ROUND) * share / EARTH_RADIUS_M
    sine = math.sin(math.radians(lat)) * math.cos(angle)
    sine += math.cos(math.radians(lat)) * math.sin(angle) * math.cos(bearing)
    there = math.degrees(math.asin(max(-1.0, min(1.0, sine))))
    turn = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(math.radians(lat)),
        math.cos(angle) - math.sin(math.radians(lat)) * sine,
    )
    there_lng = math.remainder(lng + math.degrees(turn), 360)
    # Next to a pole asin() of the sine is good for a ten-millionth of a degree only; its distance tells.
    if haversine_m(lat, lng, there, there_lng) > radius:
        return
    assert held(boxes_around(lat, lng, radius), there, there_lng)


@given(latitudes, longitudes, st.floats(0, 30_000_000))
def test_boxes_are_one_or_two_on_the_globe(lat: float, lng: float, radius: float) -> None:
    boxes = boxes_around(lat, lng, radius)
    assert 1 <= len(boxes) <= 2
    for box in boxes:
        assert -180 <= box.west <= box.east <= 180
        assert -90 <= box.south <= box.north <= 90


def test_boxes_are_not_much_larger_than_the_circle() -> None:
    (box,) = boxes_around(60, 30, 1000)
    degree = HALF_WAY_ROUND / 180
    assert (box.north - box.south) * degree == pytest.approx(2000, rel=0.001)
    assert (box.east - box.west) * degree * math.cos(math.radians(60)) == pytest.approx(
        2000, rel=0.001
    )


def test_parse_bbox() -> None:
    assert parse_bbox("37.3,55.5,37.9,55.9") == [Box(37.3, 55.5, 37.9, 55.9)]
    assert parse_bbox(" -10, -5.5 ,+10,.5") == [Box(-10, -5.5, 10, 0.5)]
    assert parse_bbox("170,60,-170,70") == [Box(170, 60, 180, 70), Box(-180, 60, -170, 70)]
    assert parse_bbox("-180,-90,180,90") == [Box(-180, -90, 180, 90)]


def test_a_box_up_to_the_meridian_holds_it_by_either_sign() -> None:
    assert held(split_bbox(170, 0, 180, 10), 5, -180)
    assert held(split_bbox(-180, 0, -170, 10), 5, 180)


@pytest.mark.parametrize(
    "text",
    [
        "", "1,2,3", "1,2,3,4,5", "a,b,c,d", "nan,0,1,1", "inf,0,1,1", "1_0,0,20,1", "١,0,2,1", "1e1,0,2,1",
        "0,-91,1,0", "0,0,1,90.1", "-181,0,1,1", "0,0,180.5,1", "0,10,1,5", "1,,2,3",
    ],
)  # fmt: skip
def test_bad_bbox(text: str) -> None:
    with pytest.raises(InvalidCoordinates):
        parse_bbox(text)


def test_parse_point() -> None:
    assert parse_point("55.75, 37.6") == (55.75, 37.6)
    for bad in ("55.75", "91,0", "0,181", "nan,nan", "1,2,3", ""):
        with pytest.raises(InvalidCoordinates):
            parse_point(bad)


SPOTS = [
    (55.7558, 37.6173),
    (55.7963, 49.1088),
    (-55.7558, -142.3827),
    (0.0, 0.0),
    (90.0, 0.0),
    (89.9999, 135.0),
    (-90.0, 12.0),
    (66.1, 179.9999),
    (66.1, -179.9999),
    (66.1, 180.0),
    (66.1, -180.0),
    # Products of these underflow; then an antipode, where rounding takes the haversine above 1.
    (5e-324, -5e-324),
    (-51.0579, -32.3125),
]


@pytest.fixture
def spots(db: None) -> None:
    make_place_table()
    Place.objects.bulk_create(Place(id=n, lat=lat, lng=lng) for n, (lat, lng) in enumerate(SPOTS))
    Place.objects.create(id=999)


def distances(lat: float, lng: float) -> dict[Any, Any]:
    return dict(
        Place.objects.annotate(away=distance_m("lat", "lng", lat, lng)).values_list("id", "away")
    )


on_the_engine = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)


@on_the_engine
@given(lat=latitudes, lng=longitudes)
@example(lat=51.0579, lng=147.6875)
@example(lat=55.7558, lng=37.6173)
@example(lat=90.0, lng=0.0)
@example(lat=-90.0, lng=180.0)
@example(lat=0.0, lng=180.0)
def test_distance_in_the_database_is_haversine(spots: None, lat: float, lng: float) -> None:
    measured = distances(lat, lng)
    assert measured.pop(999) is None
    for number, away in measured.items():
        assert away == pytest.approx(haversine_m(lat, lng, *SPOTS[number]), rel=1e-6, abs=1)


@on_the_engine
@given(lat=latitudes, lng=longitudes, radius=st.floats(0, 21_000_000))
@example(lat=90.0, lng=0.0, radius=100.0)
@example(lat=66.1, lng=180.0, radius=100.0)
@example(lat=66.1, lng=-179.9999, radius=10.0)
def test_boxes_and_distance_find_what_is_near(
    spots: None, lat: float, lng: float, radius: float
) -> None:
    near = Place.objects.annotate(away=distance_m("lat", "lng", lat, lng)).filter(away__lte=radius)
    boxed = near.filter(in_boxes("lat", "lng", boxes_around(lat, lng, radius)))
    assert set(boxed.values_list("id", flat=True)) == set(near.values_list("id", flat=True))


def test_around_the_180th_meridian(spots: None) -> None:
    near = Place.objects.filter(in_boxes("lat", "lng", boxes_around(66.1, 180, 100)))
    assert {SPOTS[n] for n in near.values_list("id", flat=True)} == {
        (66.1, 179.9999), (66.1, -179.9999), (66.1, 180.0), (66.1, -180.0),
    }  # fmt: skip


def test_no_boxes_no_rows(spots: None) -> None:
    assert not Place.objects.filter(in_boxes("lat", "lng", [])).exists()


@pytest.mark.parametrize("centre", [(55.75, 37.6), (66.1, 180.0)])
def test_boxes_use_their_index(spots: None, centre: tuple[float, float]) -> None:
    query = Place.objects.filter(in_boxes("lat", "lng", boxes_around(*centre, 1000)))
    plan = plan_of(query, "enable_seqscan = off")
    assert "scratch_place_point" in plan
    assert "SCAN" not in plan
