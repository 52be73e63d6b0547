"""The map of the back office: the list's rows in the list's narrowing, for those who may enter."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from objects.models import Object, ObjectStatus
from tests.cast import Cast
from tests.office.desk import browser, desk

pytestmark = pytest.mark.django_db

PAGE, DATA, LIST = "/admin/map/", "/admin/map/clusters/", "/admin/objects/object/"
WORLD = {"bbox": "-180,-90,180,90", "zoom": "3"}
STATIC = Path(__file__).resolve().parents[2] / "objects" / "static" / "objects"


@pytest.fixture
def town(cast: Cast) -> Cast:
    for i in range(70):
        city = cast.moscow if i % 3 else cast.kazan
        cast.object(
            city=city,
            address=f"ул. {'Ёлочная' if i % 2 else 'Садовая'}, д. {i}",
            status=ObjectStatus.values[i % 5],
            gps_lat=(55.75 if i % 3 else 55.79) + i / 1000,
            gps_lng=(37.6 if i % 3 else 49.1) + i / 1000,
        )
    cast.object(address="ул. Без места, д. 1")
    return cast


def data(page: Client, **query: str) -> dict[str, Any]:
    answer = page.get(DATA, {**WORLD, **query})
    assert answer.status_code == 200, answer.content.decode()
    assert answer.headers["Content-Type"] == "application/geo+json"
    body: dict[str, Any] = answer.json()
    told = sum(feature["properties"].get("count", 1) for feature in body["features"])
    assert told == body["total"]
    return body


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"status": "NEW"},
        {"q": "елочная"},
        {"city": "moscow"},
        {"responsible": "none"},
        {"located": "yes"},
        {"located": "no"},
        {"unvisited": "never", "type": "MKD"},
        {"status": "LOST"},
        {"o": "7", "p": "2", "q": "садовая"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["anna", "sergei", "olga"])
def test_the_map_has_the_rows_of_the_list(town: Cast, name: str, query: dict[str, str]) -> None:
    page = desk(getattr(town, name))
    if "city" in query:
        query = {**query, "city": str(town.moscow.pk)}
    listed = page.get(LIST, {key: value for key, value in query.items() if key not in {"o", "p"}})
    located = listed.context["cl"].queryset.filter(gps_lat__isnull=False).count()
    assert data(page, **query)["total"] == located


def test_the_legend_hides_statuses(town: Cast) -> None:
    page = desk(town.sergei)
    whole, some = data(page), data(page, hide="NEW,DONE,LOST")
    assert some["by_status"] == {**whole["by_status"], "NEW": 0, "DONE": 0}
    assert data(page, hide=",".join(ObjectStatus.values))["total"] == 0


def test_who_gets_in(town: Cast) -> None:
    for path in (PAGE, DATA):
        answer = browser().get(path, WORLD)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/admin/login/")
    assert browser().post("/admin/login/", {"username": town.ivan.email, "password": "x"})
    assert data(desk(town.olga))["total"] == Object.objects.filter(city=town.kazan).count()


@pytest.mark.parametrize(
    "query",
    [
        {"zoom": "21"},
        {"zoom": ""},
        {"bbox": "1,1,1,2"},
        {"bbox": "x"},
        {"bbox": "0,0,0,inf"},
    ],
    ids=str,
)
def test_bad_windows_are_refused_with_a_sentence(town: Cast, query: dict[str, str]) -> None:
    answer = desk(town.sergei).get(DATA, {**WORLD, **query})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"].keys() == query.keys()


def test_unknown_parameters_are_refused_as_by_the_list(town: Cast) -> None:
    page = desk(town.sergei)
    assert page.get(DATA, {**WORLD, "contact_phone__startswith": "+7"}).status_code == 400
    assert page.get(LIST, {"contact_phone__startswith": "+7"}).status_code == 400


def facts_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="map-settings" type="application/json">(.*?)</script>', html)
    assert found is not None
    facts: dict[str, Any] = json.loads(found[1])
    return facts


def test_the_page_carries_the_narrowing_along(town: Cast) -> None:
    query = {"status": "NEW", "q": "садовая", "p": "3", "hide": "DONE"}
    html = desk(town.sergei).get(PAGE, query).content.decode()
    kept = urlencode({"status": "NEW", "q": "садовая"})
    assert f'href="{LIST}?{kept}"'.replace("&", "&amp;") in html
    assert '<input type="hidden" name="status" value="NEW">' in html
    assert 'name="q" value="садовая"' in html
    facts = facts_of(html)
    assert facts["data_url"] == DATA
    assert facts["no_id"] in facts["object_url"]
    assert [each["code"] for each in facts["statuses"]] == ObjectStatus.values


def test_the_list_leads_to_the_map(town: Cast) -> None:
    html = desk(town.sergei).get(LIST, {"status": "NEW"}).content.decode()
    assert f'href="{PAGE}?status=NEW"' in html


def test_the_page_speaks_the_readers_language(town: Cast) -> None:
    words = {
        language: facts_of(desk(town.sergei, language).get(PAGE).content.decode())
        for language in ("ru", "en")
    }
    assert words["en"]["words"]["lastVisit"] == "Last visit"
    assert words["ru"]["language"] == "ru"


def test_nothing_is_loaded_from_elsewhere_unless_set(town: Cast, settings: Any) -> None:
    page = desk(town.sergei)
    answer = page.get(PAGE)
    html = answer.content.decode()
    assert facts_of(html)["tiles"] == {"url": "", "attribution": ""}
    assert "//" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    settings.MAP_TILES_URL = "https://{s}.tiles.example/{z}/{x}/{y}.png"
    answer = page.get(PAGE)
    assert facts_of(answer.content.decode())["tiles"]["url"] == settings.MAP_TILES_URL
    assert "https://*.tiles.example" in answer.headers["Content-Security-Policy"]


def test_no_script_stands_in_the_page(town: Cast) -> None:
    house = Object.objects.filter(city=town.moscow, gps_lat__isnull=False).first()
    assert house is not None
    page = desk(town.sergei)
    for path in (PAGE, f"{LIST}{house.pk}/change/"):
        html = page.get(path).content.decode()
        assert "objects/leaflet/leaflet.js" in html
        for attributes, body in re.findall(r"<script\b([^>]*)>(.*?)</script>", html, re.DOTALL):
            assert "src=" in attributes or 'type="application/json"' in attributes, body
        assert not re.search(r"<[^>]+\son(?:click|load|error|change)=", html)


def test_an_objects_page_shows_where_it_is(town: Cast) -> None:
    page = desk(town.sergei)
    house = Object.objects.filter(city=town.moscow, gps_lat__isnull=False).first()
    nowhere = Object.objects.get(gps_lat__isnull=True)
    assert house is not None
    facts = facts_of(page.get(f"{LIST}{house.pk}/change/").content.decode())
    assert facts["here"] == {
        "id": str(house.pk), "lat": house.gps_lat, "lng": house.gps_lng, "status": house.status,
    }  # fmt: skip
    assert "map-small" not in page.get(f"{LIST}{nowhere.pk}/change/").content.decode()


def test_queries_are_few(town: Cast) -> None:
    page = desk(town.sergei)
    for path, most in ((PAGE, 7), (DATA, 7)):
        with CaptureQueriesContext(connection) as captured:
            assert page.get(path, {**WORLD, "q": "садовая"}).status_code == 200
        assert len(captured) <= most, [query["sql"] for query in captured]


def test_every_script_imports_what_there_is() -> None:
    for path in (STATIC / "map").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r'from "\./([\w.]+)"', text):
            assert (STATIC / "map" / name).exists(), (path.name, name)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path.name
        assert "innerHTML" not in text
        assert "eval(" not in text


def test_every_word_of_the_scripts_is_given_and_said(town: Cast) -> None:
    facts = facts_of(desk(town.sergei).get(PAGE).content.decode())
    scripts = "".join(
        path.read_text(encoding="utf-8") for path in sorted((STATIC / "map").glob("*.js"))
    )
    said = set(re.findall(r'say\("(\w+)"\)|settings\.words\.(\w+)', scripts))
    assert {a or b for a, b in said} == set(facts["words"])


def test_leaflet_comes_with_its_licence() -> None:
    assert finders.find("objects/leaflet/leaflet.js")
    licence = (STATIC / "leaflet" / "LICENSE").read_text(encoding="utf-8")
    assert "BSD 2-Clause License" in licence
    # An address of a source map would be looked for, and is not there.
    assert b"sourceMappingURL" not in (STATIC / "leaflet" / "leaflet.js").read_bytes()
    assert django_settings.STATIC_URL == "/static/"
