"""Ids in paths, paths that are none, methods that nobody knows, and headers."""

import json
from functools import cache
from typing import Any

import pytest

from crm.api.schema_generation import schema_json
from tests.cast import Cast
from tests.fuzz.answers import in_time, nothing_written, sound
from tests.fuzz.effort import some
from tests.fuzz.hostile import NO_IDS, NOBODYS

pytestmark = pytest.mark.django_db


@cache
def with_ids() -> list[tuple[str, str]]:
    """(method, path) of what is about one record."""
    paths = json.loads(schema_json())["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods if "{" in path]


@pytest.mark.parametrize(("method", "path"), with_ids(), ids=lambda word: word)
def test_what_is_no_id_is_not_found(cast: Cast, method: str, path: str) -> None:
    anna, nobody = cast.api(cast.anna), cast.api(None)
    with nothing_written():
        for part in (*some(NO_IDS, 12, method, path), *some(NOBODYS, 2, method, path)):
            address = path.replace("{id}", part)
            for slash in ("", "/"):
                with in_time():
                    answer = called(anna, method, address + slash)
                # The body is none that any of them takes; what is no id is not found all the same.
                sound(answer, 404, *([422] if part in NOBODYS else []))
            sound(called(nobody, method, address), 401, 404)


def called(api: Any, method: str, address: str) -> Any:
    """The answer to a request whose path stands as it is, not quoted once more."""
    from urllib.parse import unquote_to_bytes

    # What a server makes of the bytes (PEP 3333).
    path = unquote_to_bytes(address).decode("latin-1")
    return api.generic(method.upper(), "/", b"{}", content_type="application/json", PATH_INFO=path)


ODD = [
    "/", "//", "/api", "/api/v1", "/api/v1//objects", "/api/v1/objects//", "/api/v1/objects///", "/api/v2/objects", "/API/v1/objects",
    "/api/v1/objects/../users", "/api/v1/%2e%2e/admin", "/api/v1/objects.json", "/api/v1/objects;x=1", "/api/v1/objects%00", "/%00",
    "/api/v1/" + "x" * 60_000, "/api/v1/" + "a/" * 3000, "/%FF%FE", "/%0d%0aX-Y:1", "/api/v1/%0d%0aX-Y:1", "/\\", "/api/v1/objects\\x",
    "/static/../crm/settings.py", "/static/%2e%2e/%2e%2e/etc/passwd", "/favicon.ico", "/.env", "/api/v1/ё", "/health/x", "/metrics/x",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD, ids=lambda path: path[:30])
def test_paths_that_are_none(cast: Cast, path: str) -> None:
    for method in ("get", "post", "delete"):
        with nothing_written(), in_time():
            answer = called(cast.api(cast.anna), method, path)
            assert answer.status_code in {301, 302, 401, 403, 404, 405}
            assert "X-Y" not in answer


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PROPFIND", "X" * 500, "get", "0"])
def test_methods_that_nobody_knows(cast: Cast, method: str) -> None:
    home = cast.object()
    for path in ("objects", f"objects/{home.pk}", "sync/batch", "auth/token", "reports/jobs"):
        with nothing_written():
            answer = cast.api(cast.anna).generic(method, f"/api/v1/{path}", b"{}")
            sound(answer, 405) if method != "get" else sound(answer)


VALUES = (
    "", " ", "\x00", "ё".encode().decode("latin-1"), "\xff\xfe", "x" * 20_000, "9" * 500, "-1", '"', '"1', 'W/"1"', '"1","2"', "*", '"9223372036854775808"',
    '"1e5"', '"٣"'.encode().decode("latin-1"), "NaN", ",,,", ";;;", "q=;", "*/*;q=x", "text/html", "application/json;q=0", "gzip;q=0, identity;q=0", "a=b; a=c", "{}",
    "../..", "ru-RU,ru;q=0.9,en;q=0", "zz", "-", "en_US.UTF-8/../x", "bytes=0-1", "bytes=-1,5-", "Mon, 99 Foo 2026", "Bearer", "Basic OTk6",
    "127.0.0.1:99999999", "[::1", "a.b:c:d", "localhost:8000:1", "evil.test",
)  # fmt: skip
HEADERS = (
    "ACCEPT", "ACCEPT_LANGUAGE", "ACCEPT_ENCODING", "ACCEPT_CHARSET", "X_REQUEST_ID", "IDEMPOTENCY_KEY", "IF_MATCH", "IF_NONE_MATCH",
    "IF_MODIFIED_SINCE", "USER_AGENT", "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "HOST", "ORIGIN", "REFERER", "COOKIE", "RANGE",
    "X_DEVICE_ID", "EXPECT", "X_HTTP_METHOD_OVERRIDE", "TRANSFER_ENCODING", "ACCESS_CONTROL_REQUEST_METHOD", "FORWARDED",
)  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_every_odd_value_of_every_header(cast: Cast, header: str) -> None:
    home = cast.object()
    api = cast.api(cast.anna)
    body = json.dumps({"status": "DONE"}).encode()
    for value in some(VALUES, 16, header):
        extra = {f"HTTP_{header}": value}
        for method, path, raw in some(
            [
                ("GET", f"objects/{home.pk}", b""), ("PATCH", f"objects/{home.pk}", body),
                ("GET", "sync/changes", b""), ("GET", "dictionaries/cities", b""), ("GET", "x", b""),
                ("POST", "auth/refresh", b'{"refresh_token":"x"}'), ("POST", "sync/batch", b"{}"),
            ],
            3, header, value,
        ):  # fmt: skip
            with in_time():
                answer = api.generic(method, f"/api/v1/{path}", raw, "application/json", **extra)
                sound(answer)
            assert "\n" not in str(answer.headers["X-Request-ID"])


LENGTHS = ["", "-1", "x", "1e3", "99999999999999999999", "0", "٣", "1, 2"]


@pytest.mark.parametrize("length", LENGTHS)
def test_any_stated_length(cast: Cast, length: str) -> None:
    with nothing_written():
        answer = cast.api(cast.anna).generic(
            "POST", "/api/v1/objects", b'{"type":"x"}', "application/json", CONTENT_LENGTH=length
        )
        sound(answer, 400, 413, 422)
