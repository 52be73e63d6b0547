"""Every documented parameter of every address, with every odd value: an answer or a sentence, never a defect.

The parameters come from the schema, so that a new one is tried out by itself.
"""

import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from crm.api.schema_generation import schema_json
from tests.cast import Cast
from tests.fuzz.answers import in_time, nothing_written, sound
from tests.fuzz.effort import HUNT, some
from tests.fuzz.hostile import TEXTS

pytestmark = pytest.mark.django_db


@cache
def asked() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(method, path) → its query parameters."""
    found = {}
    for path, methods in json.loads(schema_json())["paths"].items():
        for method, operation in methods.items():
            query = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
            if query:
                found[method, path] = query
    return found


LISTS = [
    path for (method, path), query in asked().items() if any(p["name"] == "sort" for p in query)
]


def concrete(path: str, ground: dict[str, str]) -> str:
    """The path with an id in place of `{id}`."""
    return path.replace("{id}", ground[path.split("/")[3]]) if "{id}" in path else path


def written(name: str, value: str) -> Iterator[str]:
    """The spellings of one parameter: plain, bracketed, twice."""
    yield urlencode({name: value}, errors="surrogatepass")
    yield urlencode({f"filters[{name}]": value})
    yield urlencode([(name, value), (name, "1")])


def tried(api: Any, method: str, path: str, query: str) -> int:
    """The status of a sound answer."""
    with in_time():
        answer = api.generic(method.upper(), path, QUERY_STRING=query)
        sound(answer, 200, 201, 403, 404, 409, 410, 422)
    return int(answer.status_code)


@pytest.mark.parametrize(("method", "path"), asked(), ids=lambda word: word)
def test_every_odd_value_of_every_parameter(
    cast: Cast, ground: dict[str, str], method: str, path: str
) -> None:
    parameters, path = asked()[method, path], concrete(path, ground)
    clients = {name: cast.api(getattr(cast, name)) for name in ("anna", "ivan")}
    statuses = set()
    with nothing_written():
        for parameter in parameters:
            name = parameter["name"]
            for value in some(TEXTS, 10, path, name):
                for query in some([*written(name, value)], 1, value, name):
                    for api in (
                        clients.values()
                        if HUNT
                        else [clients["ivan" if len(value) % 2 else "anna"]]
                    ):
                        statuses.add(tried(api, method, path, query))
    assert statuses


RAW = (
    "%", "%%%", "=", "&&&", "q=%FF%FE", "q=%ED%A0%80", "q=%00", "%00=1", "%D1%91=1", "q[]=1", "filters=1", "filters[]=1",
    "filters[q][x]=1", "filters[filters[q]]=1", "filters[q=1", "Q=1", "q=1;limit=2", "limit=1&limit=1", "limit=1,1", "page=1&cursor=",
    "a=1&" * 1100, "q=" + "%41" * 9000, "sort=" + ",".join(["address"] * 500), "sort=-", "sort=+", "sort=,", "sort=--address", "sort=id,id",
    "city_id=" + ",".join(["00000000-0000-0000-0000-000000000000"] * 201), "count=EXACT", "count=exact&page=1000000000&limit=1000",
    "page=9999999999999999999999", "limit=1000&page=1000000000", "cursor=&sort=distance_m", "near=55.7,37.6&radius=1e9",
    "near=90,180&radius=0", "near=-90,-180&radius=50000", "near=55.7,37.6&radius=nan", "radius=100", "bbox=180,-90,-180,90",
    "bbox=170,50,-170,60", "bbox=0,0,0,0", "near=55.7,37.6&bbox=0,0,1,1&sort=distance_m", "near=0,0&radius=1&cursor=&sort=-distance_m",
)  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_odd_query_strings(cast: Cast, ground: dict[str, str], path: str) -> None:
    api = cast.api(cast.anna)
    with nothing_written():
        for query in RAW:
            with in_time():
                answer = api.get(path, QUERY_STRING=query)
                sound(answer, 200, 400, 422)


@pytest.mark.parametrize("name", ["anna", "ivan"])
@pytest.mark.parametrize("path", LISTS)
def test_every_order_by_page_and_by_cursor(
    cast: Cast, ground: dict[str, str], path: str, name: str
) -> None:
    """Each documented order, alone and after another one, both ways, with every row given once."""
    api = cast.api(getattr(cast, name))
    (sort,) = [p for p in asked()["get", path] if p["name"] == "sort"]
    words = sort["schema"]["items"]["enum"]
    chance = random.Random(path)
    for word in words:
        both = f"{word},{chance.choice(words)}"
        for order in (word, both):
            near = "&near=55.7,37.6&radius=9000" if "distance_m" in order else ""
            first = api.get(path, QUERY_STRING=f"sort={quote(order)}{near}")
            body = json.loads(sound(first, 200, 403, 422))
            if first.status_code != 200:
                continue
            if isinstance(body, list):
                continue
            seen, cursor = [], ""
            for _step in range(30):
                query = f"sort={quote(order)}{near}&size=1&cursor={quote(cursor)}"
                page = json.loads(sound(api.get(path, QUERY_STRING=query), 200))
                seen += [row["id"] for row in page["items"]]
                cursor = page["next_cursor"] or ""
                if not page["has_more"]:
                    break
            assert seen == [row["id"] for row in body["items"]][: len(seen)], order
            assert len(seen) == body["total"], order


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_was_tampered_with(cast: Cast, ground: dict[str, str], path: str) -> None:
    api = cast.api(cast.anna)
    page = json.loads(sound(api.get(f"{path}?cursor=&size=1"), 200))
    cursor = page["next_cursor"]
    if cursor is None:
        pytest.skip("too few rows")
    sound(api.get(path, {"cursor": cursor, "size": 1}), 200)
    others = [other for other in LISTS if other != path]
    chance = random.Random(path)
    broken = {cursor[:at] for at in chance.sample(range(len(cursor)), 8)} - {""}
    for at in chance.sample(range(len(cursor)), 8):
        broken.add(cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :])
    for text in (*broken, cursor * 2, cursor + "=", f" {cursor}:"):
        answer = api.get(path, {"cursor": text, "size": 1})
        # Signatures of ours may be followed by padding that says nothing.
        sound(answer, 422)
    sound(api.get(path, {"cursor": cursor, "sort": "-created_at"}), 422)
    for other in others:
        sound(api.get(other, {"cursor": cursor}), 200, 422)
