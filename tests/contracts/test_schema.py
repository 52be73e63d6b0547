"""/openapi.json, /docs and /redoc: complete, valid, and served from here alone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from openapi_spec_validator import OpenAPIV30SpecValidator

from crm.api.filters import PAGING, SEARCH
from crm.api.schema_generation import schema_json

METHODS = ("get", "post", "patch", "put", "delete")
LOCAL = re.compile(r"""(?:src|href)=["']([^"']+)["']""")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    answer = Client().get("/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return answer.json()  # type: ignore[no-any-return]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and method."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def endpoints(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the product, its parameters as `{}`."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from endpoints(pattern.url_patterns, path)
        else:
            yield "/" + re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>", "{}", path), pattern


def views() -> dict[tuple[str, str], Any]:
    """(path, method) → the view class and its arguments, for all of /api/v1."""
    found = {}
    for path, pattern in endpoints(get_resolver().url_patterns):
        if not path.startswith("/api/v1/"):
            continue
        callback: Any = pattern.callback
        actions = getattr(callback, "actions", None)
        for method in METHODS:
            known = actions if actions is not None else vars_of(callback.cls)
            if method in known and method in callback.cls.http_method_names:
                found[path, method] = callback
    return found


def vars_of(view: type) -> set[str]:
    return {name for name in METHODS if hasattr(view, name)}


def test_it_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV30SpecValidator(document).validate()
    assert document["openapi"].startswith("3.0")
    assert "servers" not in document


def test_it_gives_no_warning(tmp_path: Any) -> None:
    file = tmp_path / "schema.json"
    call_command("spectacular", file=str(file), validate=True, fail_on_warn=True)


def test_every_address_is_in_it_and_nothing_else(document: dict[str, Any]) -> None:
    told = {(re.sub(r"\{\w+\}", "{}", path), method) for path, method, _ in operations(document)}
    assert told == set(views())


def test_every_parameter_of_every_list_is_in_it(document: dict[str, Any]) -> None:
    seen = 0
    for path, method, operation in operations(document):
        view = views()[re.sub(r"\{\w+\}", "{}", path), method]
        declared = view.initkwargs.get("filters") or getattr(view.cls, "filters", None)
        told = {p["name"]: p for p in operation.get("parameters", ()) if p["in"] == "query"}
        answer = (
            operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        )
        shape = answer.get("schema", {})
        paged = "oneOf" in shape
        if declared is None or not (paged or shape.get("type") == "array"):
            continue
        seen += 1
        names = set(declared.base_filters) | set(SEARCH if declared.searched else ())
        if paged:
            names |= set(PAGING) - (set() if hasattr(view.cls, "services") else {"deleted"})
            known = {word.lstrip("-") for word in told["sort"]["schema"]["items"]["enum"]}
            assert known >= set(view.cls.sorts)
        assert set(told) == names, path
        for name, one in declared.base_filters.items():
            choices = one.extra.get("choices")
            if choices:
                assert told[name]["schema"]["items"]["enum"] == list(choices)
            assert told[name].get("description"), (path, name)
    assert seen >= 8


def test_lists_answer_with_pages_or_cursors(document: dict[str, Any]) -> None:
    def shapes(path: str) -> list[str]:
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        return [
            one.get("$ref", "").rpartition("/")[2] or one["type"]
            for one in schema["schema"]["oneOf"]
        ]

    assert shapes("/api/v1/visits") == ["VisitPage", "VisitCursor"]
    assert shapes("/api/v1/visits/reminders") == ["ReminderPage", "ReminderCursor"]
    assert shapes("/api/v1/users") == ["array", "UserPage", "UserCursor"]


def test_ids_in_paths_are_uuids(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        in_path = [p for p in operation.get("parameters", ()) if p["in"] == "path"]
        assert [p["schema"].get("format") for p in in_path] == ["uuid"] * path.count("{")


def test_who_may_call_and_what_may_go_wrong(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        told = set(operation["responses"])
        open_to_all = path in {"/api/v1/auth/token", "/api/v1/auth/refresh"}
        assert operation.get("security") == (None if open_to_all else [{"bearer": []}]), path
        assert {"401", "429", "503"} <= told
        assert ("404" in told) == ("{" in path)
        assert ("requestBody" in operation) <= ({"400", "413", "415", "422"} <= told)
        if method == "patch" and "{" in path:
            assert {"403", "404", "409"} <= told
        assert operation["tags"][0] in {tag["name"] for tag in document["tags"]}
        assert operation["summary"]
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["$ref"].startswith("#/components/responses/")
            else:
                assert "X-Request-ID" in response["headers"], (path, status)
    components = document["components"]["responses"]
    for refusal in components.values():
        assert "application/json" in refusal["content"]
        assert "X-Request-ID" in refusal["headers"]
    assert "Retry-After" in components["RateLimited"]["headers"]
    assert "Retry-After" in components["Unavailable"]["headers"]


def test_versions_are_told_of(document: dict[str, Any]) -> None:
    tagged = {
        (path, method)
        for path, method, operation in operations(document)
        if any(p["name"] == "If-Match" for p in operation.get("parameters", ()))
    }
    records = [f"/api/v1/{name}/{{id}}" for name in ("objects", "units", "customers", "visits")]
    moves = [f"/api/v1/visits/{{id}}/{move}" for move in ("start", "complete", "cancel", "reopen")]
    assert tagged == {(path, "patch") for path in records} | {(path, "post") for path in moves}
    for path in records:
        for method in ("get", "patch"):
            assert "ETag" in document["paths"][path][method]["responses"]["200"]["headers"]
    schemas = document["components"]["schemas"]
    assert {"version", "force"} <= set(schemas["PatchedObjectRequest"]["properties"])
    assert not {"version", "force"} & set(schemas["ObjectRequest"]["properties"])
    assert schemas["ObjectRequest"]["required"] == ["address", "type"]
    assert "distance_m" not in schemas["Object"]["required"]


def test_names_are_stable_and_speak_for_themselves(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    assert {"objects_list", "objects_my_tasks", "visits_complete", "customers_restore"} <= set(ids)
    assert not [name for name in document["components"]["schemas"] if name.endswith("Enum")]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_it_is_english_for_everybody(document: dict[str, Any], language: str) -> None:
    schema_json.cache_clear()
    answer = Client(headers={"accept-language": language}).get("/openapi.json/")
    assert answer.json() == document
    assert "apartment block" in answer.content.decode()


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_pages_load_nothing_from_elsewhere(path: str) -> None:
    client = Client()
    page = client.get(path)
    assert client.get(f"{path}/").status_code == page.status_code == 200
    assert page["Content-Type"] == "text/html; charset=utf-8"
    text = page.content.decode()
    assert "//" not in text.replace("<!DOCTYPE html>", "")
    assert "/openapi.json" in text
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assets = LOCAL.findall(text)
    assert len(assets) >= 2
    for asset in assets:
        found = client.get(asset)
        assert found.status_code == 200, asset
        assert b"".join(found.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
def test_they_only_are_read(path: str) -> None:
    assert Client().head(path).status_code == 200
    refusal = Client().post(path)
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert refusal["Allow"] == "GET, HEAD"
