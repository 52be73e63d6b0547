"""The map: near, radius and bbox against a formula of their own, and served by indexes."""

import math
import random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Customer
from objects.models import Object
from tests.cast import Cast
from tests.contracts.envelope import invalid
from visits.models import Visit

pytestmark = pytest.mark.django_db

URL = "/api/v1/objects"
EARTH_M = 6_371_000
# A sphere is not the Earth, and the promise is half a per cent.
PROMISE = 0.005

Place = tuple[float, float]


def metres(one: Place, other: Place) -> float:
    """The distance by vectors: the angle between two directions from the centre. Not haversine."""

    def direction(place: Place) -> tuple[float, float, float]:
        lat, lng = (math.radians(degrees) for degrees in place)
        return math.cos(lat) * math.cos(lng), math.cos(lat) * math.sin(lng), math.sin(lat)

    a, b = direction(one), direction(other)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return EARTH_M * math.atan2(math.hypot(*cross), dot)


def scattered(cast: Cast, centre: Place, radius_m: float, count: int = 40) -> list[Place]:
    """Objects up to twice the radius around the centre, over the pole and the 180th meridian too."""
    # A fixed seed: the same places in every run.
    chance = random.Random(f"{centre}{radius_m}")
    places = []
    lat1, lng1 = (math.radians(degrees) for degrees in centre)
    for _ in range(count):
        angle, bearing = chance.uniform(0, 2 * radius_m / EARTH_M), chance.uniform(0, 2 * math.pi)
        lat = math.asin(
            math.sin(lat1) * math.cos(angle) + math.cos(lat1) * math.sin(angle) * math.cos(bearing)
        )
        lng = lng1 + math.atan2(
            math.sin(bearing) * math.sin(angle) * math.cos(lat1),
            math.cos(angle) - math.sin(lat1) * math.sin(lat),
        )
        places.append((math.degrees(lat), (math.degrees(lng) + 540) % 360 - 180))
    Object.objects.bulk_create(
        [
            Object(
                type="MKD", address=f"ул. Карта, д. {i}", city=cast.moscow, gps_lat=lat, gps_lng=lng
            )
            for i, (lat, lng) in enumerate(places)
        ]
    )
    return places


CENTRES = [
    (55.7558, 37.6173),
    (0, 0),
    (90, 0),
    (-90, 120),
    (89.999, -45),
    (-89.99, 180),
    (10, 180),
    (-16.5, -180),
    (66, 179.9999),
    (66, -179.99),
]


@pytest.mark.parametrize("radius", [50, 5_000, 1_500_000])
@pytest.mark.parametrize("centre", CENTRES)
def test_near_finds_exactly_what_lies_in_the_radius(cast: Cast, centre: Place, radius: int) -> None:
    places = scattered(cast, centre, radius)
    query = {"near": f"{centre[0]},{centre[1]}", "radius": str(radius), "limit": "1000"}
    items = cast.api(cast.anna).get(URL, query).json()["items"]
    found = {(item["gps_lat"], item["gps_lng"]): item["distance_m"] for item in items}
    for place in places:
        away = metres(centre, place)
        if away < radius * (1 - PROMISE):
            assert found[place] == pytest.approx(away, rel=PROMISE, abs=0.01)
        elif away > radius * (1 + PROMISE):
            assert place not in found
    assert 0 < len(found) < len(places)
    distances = [item["distance_m"] for item in items]
    assert distances == sorted(distances)
    assert max(distances) <= radius


def test_the_length_of_a_known_way(cast: Cast) -> None:
    """From the kilometre zero of Moscow to the Palace Square: 633.8 km on the ellipsoid."""
    cast.object(gps_lat=59.9390, gps_lng=30.3158)
    query = {"near": "55.755831,37.617673", "radius": "700000"}
    (item,) = cast.api(cast.anna).get(URL, query).json()["items"]
    assert item["distance_m"] == pytest.approx(633_800, rel=PROMISE)


def test_a_circle_around_the_whole_globe_holds_everything(cast: Cast) -> None:
    for lat, lng in CENTRES:
        cast.object(gps_lat=lat, gps_lng=lng)
    cast.object()
    for lat, lng in CENTRES:
        query = {"near": f"{lat},{lng}", "radius": "20040000"}
        assert cast.api(cast.anna).get(URL, query).json()["total"] == len(CENTRES)


BOXES = [
    ("37,55,38,56", {"Москва"}),
    ("-180,-90,180,90", {"Москва", "Анадырь", "Уэлен", "Полюс", "Край"}),
    ("177,60,-169,67", {"Анадырь", "Уэлен", "Край"}),
    ("170,60,180,70", {"Анадырь", "Край"}),
    ("-180,60,-160,70", {"Уэлен", "Край"}),
    ("-169,60,177,70", set()),
    ("0,90,0,90", set()),
    ("10,90,10,90", {"Полюс"}),
    ("37.6173,55.7558,37.6173,55.7558", {"Москва"}),
]


@pytest.mark.parametrize(("box", "inside"), BOXES)
def test_bbox(cast: Cast, box: str, inside: set[str]) -> None:
    for name, lat, lng in (
        ("Москва", 55.7558, 37.6173),
        ("Анадырь", 64.7338, 177.5089),
        ("Уэлен", 66.1590, -169.8097),
        ("Полюс", 90, 10),
        ("Край", 65, 180),
    ):
        cast.object(address=f"улица {name}", contact_name=name, gps_lat=lat, gps_lng=lng)
    cast.object(contact_name="без координат")
    items = cast.api(cast.anna).get(URL, {"bbox": box}).json()["items"]
    assert {item["contact_name"] for item in items} == inside
    assert all("distance_m" not in item for item in items)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("near", "91,0"),
        ("near", "0,181"),
        ("near", "55"),
        ("near", "a,b"),
        ("near", "55,37,1"),
        ("near", "nan,0"),
        ("near", "1e1,1"),
        ("bbox", "1,2,3"),
        ("bbox", "0,10,0,5"),
        ("bbox", "-181,0,0,0"),
        ("bbox", "0,0,0,inf"),
        ("radius", "0"),
        ("radius", "-1"),
        ("radius", "x"),
        ("radius", "nan"),
        ("radius", "inf"),
        ("radius", "99999999"),
    ],
)
def test_bad_places_are_refused(cast: Cast, name: str, value: str) -> None:
    query = {"near": "55,37", name: value}
    invalid(cast.api(cast.ivan).get(URL, query), name)


def test_tiny_numbers_break_nothing(cast: Cast) -> None:
    cast.object(gps_lat=1e-320, gps_lng=-1e-320)
    api = cast.api(cast.anna)
    tiny = f"0.{'0' * 318}1"
    for query in (
        {"near": "0,0"},
        {"near": f"{tiny},-{tiny}", "radius": "1"},
        {"bbox": f"-{tiny},-{tiny},{tiny},{tiny}"},
    ):
        answer = api.get(URL, query)
        assert (answer.status_code, answer.json()["total"]) == (200, 1)
    assert api.get(URL, {"near": "0,0", "radius": "1e-300"}).status_code == 200


def test_near_combines_with_filters_sorts_pages_and_cursors(cast: Cast) -> None:
    scattered(cast, (55.75, 37.61), 1000)
    api = cast.api(cast.sergei)
    near = {"near": "55.75,37.61", "radius": "1000"}
    whole = api.get(URL, {**near, "limit": "1000"}).json()
    ids = [item["id"] for item in whole["items"]]
    pages = [
        api.get(URL, {**near, "limit": "5", "page": p}).json()
        for p in range(1, whole["total"] // 5 + 2)
    ]
    assert [item["id"] for page in pages for item in page["items"]] == ids
    walked: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        step = api.get(URL, {**near, "size": "7", "cursor": cursor, "sort": "distance_m"}).json()
        walked += [item["id"] for item in step["items"]]
        cursor = step["next_cursor"]
    assert walked == ids
    far_first = api.get(URL, {**near, "limit": "1000", "sort": "-distance_m"}).json()["items"]
    assert [item["id"] for item in far_first] == ids[::-1]
    assert api.get(URL, {**near, "q": "карта", "status": "NEW", "type": "MKD"}).json()[
        "total"
    ] == len(ids)
    assert api.get(URL, {**near, "type": "CAFE"}).json()["total"] == 0
    invalid(api.get(URL, {"sort": "distance_m"}), "sort")


# --- indexes ------------------------------------------------------------------------------------


def plan_of(cast: Cast, url: str, query: dict[str, str], *without: str) -> str:
    """How the engine reads the rows of a list, tables of another kind aside."""
    api = cast.api(cast.anna)
    with CaptureQueriesContext(connection) as captured:
        assert api.get(url, query).status_code == 200
    # The rows, not how many there are.
    asked = (q["sql"] for q in captured.captured_queries if "LIMIT" in q["sql"])
    sql = next(sql for sql in asked if "count(*)" not in sql.lower())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # With a few rows any way is the shortest. Only indexes of words and places need bitmaps.
            for way in ("seqscan", *without):
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute(f"EXPLAIN {sql}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.fixture
def country(cast: Cast) -> Cast:
    """Enough objects, far enough apart, that reading all of them is not the shortest way."""
    chance = random.Random(7)
    Object.objects.bulk_create(
        [
            Object(
                type="MKD",
                address=f"ул. Дорога {i}",
                city=cast.moscow,
                gps_lat=chance.uniform(-80, 80),
                gps_lng=chance.uniform(-180, 180),
            )
            for i in range(600)
        ]
    )
    houses = list(Object.objects.all())
    Customer.objects.bulk_create([Customer(object=house, full_name="Мария") for house in houses])
    Visit.objects.bulk_create([Visit(object=house, engineer=cast.ivan) for house in houses])
    # One is found, or the list would end with counting.
    record = cast.object(address="ул. Ёлочная, д. 5", gps_lat=55.75, gps_lng=37.61)
    cast.visit(record, cast.ivan, outcome_text="Ёлочная")
    cast.customer(record)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # What autovacuum does in time: entries still pending would have to be read one by one.
            for index in ("object_search", "object_tags"):
                cursor.execute(f"SELECT gin_clean_pending_list('objects_{index}')")
            for table in ("clients_customer", "visits_visit"):
                cursor.execute(f"SELECT gin_clean_pending_list('{table}_search')")
        cursor.execute("ANALYZE")
    return cast


MAP_QUERIES = [
    {"near": "55.75,37.61"},
    {"near": "55.75,37.61", "radius": "300000"},
    {"bbox": "37,55,38,56"},
    {"near": "66,180", "radius": "20000", "count": "exact"},
    {"bbox": "37,55,-179,56"},
]


@pytest.mark.parametrize("query", MAP_QUERIES[:3], ids=str)
def test_the_map_is_served_by_an_index(country: Cast, engine: str, query: dict[str, str]) -> None:
    plan = plan_of(country, URL, query, "bitmapscan")
    if engine == "postgresql":
        assert "objects_object_map" in plan, plan
    else:
        assert "INDEX objects_object_map (gps_lat>? AND gps_lat<?" in plan, plan


@pytest.mark.postgresql_only
@pytest.mark.parametrize("kind", ["objects", "customers", "visits"])
def test_search_is_served_by_an_index(country: Cast, kind: str) -> None:
    tables = {
        "objects": "objects_object",
        "customers": "clients_customer",
        "visits": "visits_visit",
    }
    plan = plan_of(country, f"/api/v1/{kind}", {"q": "ёлочн", "cursor": ""}, "indexscan")
    assert f"{tables[kind]}_search" in plan, plan


@pytest.mark.postgresql_only
def test_tags_are_served_by_an_index(country: Cast) -> None:
    Object.objects.filter(address__contains="Ёлочная").update(tags=["редкий"])
    plan = plan_of(country, URL, {"tags": "редкий"}, "indexscan")
    assert "objects_object_tags" in plan, plan


def test_lists_come_by_the_index_of_their_order(country: Cast, engine: str) -> None:
    plan = plan_of(country, URL, {"sort": "-updated_at", "limit": "5"})
    assert "objects_object_updated_at" in plan, plan


def test_answers_do_not_depend_on_the_plan(country: Cast) -> None:
    api = country.api(country.anna)
    for query in MAP_QUERIES:
        before: dict[str, Any] = api.get(URL, {**query, "limit": "1000"}).json()
        plan_of(country, URL, {"sort": "-updated_at"})
        assert api.get(URL, {**query, "limit": "1000"}).json() == before
