"""The map: GET /objects/clusters counts what the list would list, whoever asks, however it is narrowed."""

import json
import math
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.geo import parse_bbox
from crm.map_grid import MAX_ZOOM, Grid, grid_for
from objects.clusters import MAX_CELLS
from objects.models import Object, ObjectStatus, ObjectType
from tests.cast import Cast
from tests.contracts.envelope import invalid, refused

pytestmark = pytest.mark.django_db

URL = "/api/v1/objects/clusters"
LIST = "/api/v1/objects"
WORLD = "-180,-90,180,90"
EVERYONE = ["anna", "sergei", "olga", "ivan", "pyotr", "timur"]
# Where grids and boxes have their edges.
ODD_PLACES = [
    (90, 0), (90, 180), (-90, -180), (-90, 33.3), (85.05, 1), (85.06, 1), (-85.06, -1), (0, 0), (0, 180),
    (0, -180), (1e-320, -1e-320), (-1e-320, 1e-320), (64.7, 179.9999), (64.7, -179.9999), (55.75, 37.61),
    (55.75, 37.61), (55.75, 37.61),
]  # fmt: skip


def answer_of(cast: Cast, name: str, query: dict[str, Any]) -> dict[str, Any]:
    answer = cast.api(getattr(cast, name)).get(URL, query)
    assert answer.status_code == 200, answer.json()
    body: dict[str, Any] = answer.json()
    return body


def counted(body: dict[str, Any]) -> int:
    """How many objects the features tell of; whatever else must hold of an answer is checked on the way."""
    total = 0
    statuses = dict.fromkeys(ObjectStatus.values, 0)
    for feature in body["features"]:
        told = feature["properties"]
        lng, lat = feature["geometry"]["coordinates"]
        if told["cluster"]:
            west, south, east, north = feature["bbox"]
            assert west <= lng <= east
            assert south <= lat <= north
            assert sum(told["by_status"].values()) == told["count"]
            total += told["count"]
            for status, count in told["by_status"].items():
                statuses[status] += count
        else:
            total += 1
            statuses[told["status"]] += 1
    assert body["total"] == total
    assert body["by_status"] == statuses
    assert len(body["features"]) <= MAX_CELLS
    ids = [feature["id"] for feature in body["features"]]
    assert len(ids) == len(set(ids))
    return total


@pytest.fixture
def town(cast: Cast) -> Cast:
    """Objects all over the cast's cities and at odd places; some seen by visit or responsibility alone."""
    chance = random.Random(11)
    made = []
    for i in range(240):
        city, district = [
            (cast.moscow, cast.centre),
            (cast.moscow, cast.north),
            (cast.moscow, None),
            (cast.kazan, cast.vakhitovsky),
        ][i % 4]
        lat, lng = (55.75, 37.62) if city == cast.moscow else (55.79, 49.12)
        place: tuple[float | None, float | None] = (
            chance.gauss(lat, 0.05),
            chance.gauss(lng, 0.08),
        )
        if i % 10 == 9:
            place = (None, None)
        elif i % 10 == 8:
            place = ODD_PLACES[i // 10 % len(ODD_PLACES)]
        made.append(
            Object(
                type=chance.choice(ObjectType.values),
                address=f"ул. Карта, д. {i}",
                city=city,
                district=district,
                status=chance.choice(ObjectStatus.values),
                tags=["угол"] if i % 7 == 0 else [],
                gps_lat=place[0],
                gps_lng=place[1],
                contact_name="Ёлкина" if i % 5 == 0 else None,
            )
        )
    Object.objects.bulk_create(made)
    houses = list(Object.objects.filter(gps_lat__isnull=False).order_by("id"))
    for house in houses[:40]:
        cast.visit(house, cast.ivan)
    Object.objects.filter(pk__in=[h.pk for h in houses[30:60]]).update(
        responsible_user_id=cast.timur.pk
    )
    cast.visit(houses[70], cast.pyotr, status="CANCELLED")
    Object.objects.filter(pk=houses[-1].pk).update(deleted_at=datetime(2026, 1, 1, tzinfo=UTC))
    return cast


FILTERS: list[dict[str, str]] = [
    {},
    {"status": "NEW,DONE"},
    {"type": "CAFE"},
    {"tags": "угол"},
    {"q": "ёлкина"},
    {"search": "карта 1"},
    {"q": "нет такого"},
    {"city_id": "moscow"},
    {"filters[district_id]": "centre"},
    {"responsible_user_id": "timur"},
    {"has_gps": "true"},
    {"near": "55.75,37.62", "radius": "3000"},
    {"updated_from": "2020-01-01", "status": "CALLBACK"},
    {"deleted": "false"},
]


@pytest.mark.parametrize("name", EVERYONE)
def test_clusters_count_what_the_list_lists(town: Cast, name: str) -> None:
    api = town.api(getattr(town, name))
    seen = set()
    for given_filters in FILTERS:
        filters = {
            key: str(getattr(town, value).pk) if key.rstrip("]").endswith("_id") else value
            for key, value in given_filters.items()
        }
        for box in (WORLD, "37.5,55.7,37.7,55.8", "170,-90,-170,90"):
            listed = api.get(LIST, {**filters, "bbox": box, "limit": "1"}).json()["total"]
            seen.add(listed)
            for zoom in (0, 5, 11, 17, 20):
                body = api.get(URL, {**filters, "bbox": box, "zoom": str(zoom)}).json()
                assert counted(body) == listed, (filters, box, zoom)
    assert len(seen) > 3


def test_who_sees_what(town: Cast) -> None:
    totals = {
        name: counted(answer_of(town, name, {"bbox": WORLD, "zoom": "3"})) for name in EVERYONE
    }
    live = Object.objects.live().filter(gps_lat__isnull=False)
    assert totals["anna"] == live.count()
    assert totals["sergei"] == live.filter(city=town.moscow).count()
    assert totals["olga"] == live.filter(city=town.kazan).count()
    # Beyond their district: visits in Kazan, responsibility in Moscow.
    assert totals["ivan"] > live.filter(district=town.centre).count()
    assert totals["timur"] > live.filter(district=town.vakhitovsky).count()
    assert totals["pyotr"] == live.filter(district=town.north).count()


def test_single_objects_are_those_of_the_list(town: Cast) -> None:
    for name in EVERYONE:
        api = town.api(getattr(town, name))
        listed = {item["id"]: item for item in api.get(LIST, {"limit": "1000"}).json()["items"]}
        for zoom in ("4", "18"):
            body = api.get(URL, {"bbox": WORLD, "zoom": zoom, "status": "NEW,DONE"}).json()
            for feature in body["features"]:
                told = feature["properties"]
                if told["cluster"]:
                    continue
                item = listed[feature["id"]]
                assert feature["geometry"]["coordinates"] == [item["gps_lng"], item["gps_lat"]]
                for field in ("address", "type", "status", "responsible_user", "last_visit_at"):
                    assert told[field] == item[field]


def test_call_backs_are_those_that_the_reader_sees(cast: Cast) -> None:
    home = cast.object(gps_lat=55.75, gps_lng=37.61)
    soon, late = datetime(2026, 4, 1, 9, tzinfo=UTC), datetime(2026, 5, 1, 9, tzinfo=UTC)
    cast.visit(home, cast.pyotr, next_action_due_at=soon)
    cast.visit(home, cast.ivan, next_action_due_at=late)
    cast.visit(home, cast.ivan)
    query = {"bbox": WORLD, "zoom": "3"}

    def told(name: str) -> Any:
        (feature,) = answer_of(cast, name, query)["features"]
        return feature["properties"]["next_action_due_at"]

    assert told("anna") == told("sergei") == "2026-04-01T09:00:00Z"
    assert told("ivan") == "2026-05-01T09:00:00Z"
    assert answer_of(cast, "olga", query)["features"] == []


def test_the_deleted_are_for_administrators(town: Cast) -> None:
    query = {"bbox": WORLD, "zoom": "3", "deleted": "true"}
    assert counted(answer_of(town, "anna", query)) == 1
    for name in EVERYONE[1:]:
        refused(town.api(getattr(town, name)).get(URL, query), 403)
    refused(town.api(None).get(URL, {"bbox": WORLD, "zoom": "3"}), 401)


def test_clusters_lie_where_their_members_are(cast: Cast) -> None:
    for i in range(60):
        cast.object(gps_lat=10 + i / 1e4, gps_lng=20, status="NEW" if i % 3 else "DONE")
        cast.object(gps_lat=-40, gps_lng=-70 + i / 1e4)
    body = answer_of(cast, "anna", {"bbox": WORLD, "zoom": "4"})
    first, second = sorted(body["features"], key=lambda each: each["geometry"]["coordinates"][0])
    assert first["properties"] == {
        "cluster": True,
        "count": 60,
        "by_status": {"NEW": 60, "INTEREST": 0, "CALLBACK": 0, "REJECTED": 0, "DONE": 0},
    }
    assert first["geometry"]["coordinates"] == pytest.approx([-70 + 29.5e-4, -40])
    assert first["bbox"] == pytest.approx([-70, -40, -70 + 59e-4, -40])
    assert second["properties"]["by_status"]["DONE"] == 20
    assert second["geometry"]["coordinates"] == pytest.approx([20, 10 + 29.5e-4])


def test_marks_do_not_overlap(cast: Cast) -> None:
    chance = random.Random(3)
    Object.objects.bulk_create(
        [
            Object(
                type="MKD", address=f"ул. Густая, д. {i}", city=cast.moscow,
                gps_lat=chance.uniform(55.6, 55.9), gps_lng=chance.uniform(37.3, 37.9),
            )
            for i in range(700)
        ]
    )  # fmt: skip
    for zoom in (5, 9, 11, 13):
        body = answer_of(cast, "anna", {"bbox": "37,55,38,56", "zoom": str(zoom)})
        grid = Grid(body["zoom"])
        at = [
            (grid.x(f["geometry"]["coordinates"][0]), grid.y(f["geometry"]["coordinates"][1]))
            for f in body["features"]
        ]
        apart = [math.dist(a, b) for n, a in enumerate(at) for b in at[:n]]
        assert min(apart, default=1) > 0.3
        assert counted(body) == 700


def test_houses_at_one_place_are_told_of_nearby(cast: Cast) -> None:
    for i in range(70):
        cast.object(gps_lat=56.8, gps_lng=60.6, address=f"Общая точка, {i}")
    far = answer_of(cast, "anna", {"bbox": WORLD, "zoom": "10"})
    (cluster,) = far["features"]
    assert (cluster["properties"]["count"], cluster["bbox"]) == (70, [60.6, 56.8, 60.6, 56.8])
    near = answer_of(cast, "anna", {"bbox": "60.59999,56.79999,60.60001,56.80001", "zoom": "20"})
    assert len(near["features"]) == 70
    assert not any(feature["properties"]["cluster"] for feature in near["features"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"zoom": "3"}, "bbox"),
        ({"bbox": WORLD}, "zoom"),
        ({"bbox": "", "zoom": "3"}, "bbox"),
        ({"bbox": WORLD, "zoom": ""}, "zoom"),
        ({"bbox": WORLD, "zoom": "-1"}, "zoom"),
        ({"bbox": WORLD, "zoom": "21"}, "zoom"),
        ({"bbox": WORLD, "zoom": "3.5"}, "zoom"),
        ({"bbox": WORLD, "zoom": "x"}, "zoom"),
        ({"bbox": "1,2,3", "zoom": "3"}, "bbox"),
        ({"bbox": "10,10,10,20", "zoom": "3"}, "bbox"),
        ({"bbox": "10,10,20,10", "zoom": "3"}, "bbox"),
        ({"bbox": "180,10,-180,20", "zoom": "3"}, "bbox"),
        ({"bbox": "10,20,20,10", "zoom": "3"}, "bbox"),
        ({"bbox": "-200,0,0,1", "zoom": "3"}, "bbox"),
        ({"bbox": WORLD, "zoom": "3", "page": "1"}, "page"),
        ({"bbox": WORLD, "zoom": "3", "sort": "address"}, "sort"),
        ({"bbox": WORLD, "zoom": "3", "status": "LOST"}, "status"),
        ({"bbox": WORLD, "zoom": "3", "radius": "5"}, "radius"),
        ({"bbox": WORLD, "zoom": "3", "unknown": "1"}, "unknown"),
    ],
)
@pytest.mark.parametrize("name", ["anna", "ivan"])
def test_bad_questions_are_refused(
    cast: Cast, name: str, query: dict[str, str], field: str
) -> None:
    invalid(cast.api(getattr(cast, name)).get(URL, query), field)


QUIET = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# To a tenth of a millimetre: PostgreSQL's index of points cannot hold places that differ by less than 1e-154.
LNG = st.floats(-180, 180).map(lambda value: round(value, 9))
LAT = st.floats(-90, 90).map(lambda value: round(value, 9))


def box_text(*edges: float) -> str:
    return ",".join(f"{edge:.9f}" for edge in edges)


@QUIET
@given(st.tuples(LNG, LAT, LNG, LAT), st.integers(0, MAX_ZOOM))
def test_any_window_counts_every_object_once(
    town: Cast, window: tuple[float, float, float, float], zoom: int
) -> None:
    west, first, east, second = window
    text = box_text(west, min(first, second), east, max(first, second))
    api = town.api(town.anna)
    answer = api.get(URL, {"bbox": text, "zoom": str(zoom)})
    if answer.status_code == 422:
        south, north = float(text.split(",")[1]), float(text.split(",")[3])
        boxes = parse_bbox(text)
        assert south == north or all(box.west == box.east for box in boxes)
        return
    boxes = parse_bbox(text)
    inside = sum(
        any(b.west <= lng <= b.east and b.south <= lat <= b.north for b in boxes)
        for lat, lng in Object.objects.live()
        .filter(gps_lat__isnull=False)
        .values_list("gps_lat", "gps_lng")
    )
    assert answer.status_code == 200
    assert counted(answer.json()) == inside


@QUIET
@given(
    st.lists(st.tuples(LAT, LNG), min_size=51, max_size=90),
    st.integers(0, MAX_ZOOM),
)
def test_any_places_are_counted_once(
    cast: Cast, places: list[tuple[float, float]], zoom: int
) -> None:
    Object.objects.all().update(deleted_at=datetime(2026, 1, 1, tzinfo=UTC))
    Object.objects.bulk_create(
        [
            Object(type="MKD", address="ул. Любая", city=cast.moscow, gps_lat=lat, gps_lng=lng)
            for lat, lng in places
        ]
    )
    body = answer_of(cast, "anna", {"bbox": WORLD, "zoom": str(zoom)})
    assert counted(body) == len(places)


@given(st.tuples(LNG, LAT, LNG, LAT), st.integers(0, MAX_ZOOM))
def test_the_answer_is_bounded(window: tuple[float, float, float, float], zoom: int) -> None:
    west, first, east, second = window
    boxes = parse_bbox(box_text(west, min(first, second), east, max(first, second)))
    grid = grid_for(boxes, zoom, most=MAX_CELLS)
    assert grid.zoom <= zoom
    assert grid.cells_in(boxes) <= MAX_CELLS
    assert grid.zoom == zoom or Grid(grid.zoom + 1).cells_in(boxes) > MAX_CELLS


def test_python_and_the_database_mean_the_same_cells(town: Cast) -> None:
    from crm.db.cells import column_of, row_of

    for zoom in (0, 3, 11, 20):
        grid = Grid(zoom)
        rows = (
            Object.objects.filter(gps_lat__isnull=False)
            .annotate(column=column_of("gps_lng", grid), row=row_of("gps_lat", grid))
            .values_list("gps_lat", "gps_lng", "column", "row")
        )
        for lat, lng, column, row in rows:
            # On an edge the last digit may fall on either side.
            assert abs(min(grid.x(lng), grid.across - 1e-9) - column - 0.5) <= 0.5 + 1e-6
            assert abs(grid.y(lat) - row - 0.5) <= 0.5 + 1e-6


@pytest.mark.parametrize(("name", "most"), [("anna", 4), ("sergei", 4), ("ivan", 6)])
def test_queries_are_few_and_do_not_grow(town: Cast, engine: str, name: str, most: int) -> None:
    api = town.api(getattr(town, name))
    for zoom in ("3", "12", "18"):
        with CaptureQueriesContext(connection) as captured:
            answer = api.get(URL, {"bbox": WORLD, "zoom": zoom})
        assert answer.status_code == 200
        # One of them finds the caller and their session. On PostgreSQL two say what an index costs: for the
        # counting and for the rows.
        assert len(captured) <= most + 2 * (engine == "postgresql"), [
            query["sql"] for query in captured
        ]


def test_one_that_goes_meanwhile_stays_counted(town: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the counting and the fetching of single ones an object may be deleted or moved."""
    from objects import clusters

    monkeypatch.setattr(clusters, "lonely", lambda *_: [])
    body = answer_of(town, "anna", {"bbox": WORLD, "zoom": "14"})
    assert any(feature["properties"].get("count") == 1 for feature in body["features"])
    assert counted(body) == answer_of(town, "anna", {"bbox": WORLD, "zoom": "0"})["total"]


def test_the_answer_is_geojson(town: Cast) -> None:
    body = json.loads(town.api(town.anna).get(URL, {"bbox": WORLD, "zoom": "9"}).content)
    assert body["type"] == "FeatureCollection"
    for feature in body["features"]:
        assert feature["type"] == "Feature"
        assert feature["geometry"]["type"] == "Point"
        lng, lat = feature["geometry"]["coordinates"]
        assert -180 <= lng <= 180
        assert -90 <= lat <= 90
