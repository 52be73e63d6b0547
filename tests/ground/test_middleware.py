"""What wraps every request: ids, addresses, CORS, slashes, size, the envelope, the log."""

import json
import logging
from io import BytesIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, OperationalError
from django.test import Client, RequestFactory

from crm.api.client import address_of
from crm.logs import TextLines
from crm.wsgi import application
from tests.cast import Cast

pytestmark = pytest.mark.django_db

ME = "/api/v1/users/me"


def client(**kwargs: Any) -> Client:
    return Client(raise_request_exception=False, **kwargs)


def envelope(response: Any, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal, checked."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    body: dict[str, Any] = json.loads(response.content)
    assert body["error"]["code"] == code
    assert body["error"]["message"] == body["detail"]
    assert body["error"]["request_id"] == response["X-Request-ID"]
    return body


# --- request ids ----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["r-1", "A.b_c-9", "x" * 128, "1700000000123-4", "1" * 19])
def test_a_sane_request_id_is_kept(given: str) -> None:
    assert client().get("/health", headers={"x-request-id": given})["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a b",
        "x" * 129,
        "r\u0451",
        "r;drop",
        "r-1\n",
        "79161234567",
        "r-89161234567",
        "eyJh.eyJz.x",
    ],
)
def test_others_are_replaced(given: str) -> None:
    new = client().get("/health", headers={"x-request-id": given})["X-Request-ID"]
    assert new != given
    assert len(new) == 32


def test_each_answer_has_its_own_id() -> None:
    assert len({client().get(path)["X-Request-ID"] for path in ("/health", "/none", ME)}) == 3


# --- the client's address -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
        (0, "", "", None),
        (1, "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "10.0.0.1", "198.51.100.7", "10.0.0.1"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "nonsense", "10.0.0.1"),
        (1, "10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        (1, "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
        (0, "fe80::1%eth0", "", "fe80::1"),
    ],
)
def test_whose_word_is_taken_for_the_address(
    settings: LazySettings, proxies: int, peer: str, forwarded: str, address: str | None
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert address_of(request) == address


# --- CORS -----------------------------------------------------------------------------------------

WEB = "https://crm.example.com"


def test_a_listed_origin_may_call_and_read(settings: LazySettings) -> None:
    settings.CORS_ORIGINS = [f"{WEB}/"]
    for path in ("/health", "/none", ME):
        answer = client().get(path, headers={"origin": WEB})
        assert answer["Access-Control-Allow-Origin"] == WEB
        exposed = answer["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "Retry-After", "X-Request-ID", "Content-Disposition"} <= set(exposed)
        assert "Origin" in answer["Vary"]


def test_a_preflight(settings: LazySettings) -> None:
    settings.CORS_ORIGINS = [WEB]
    headers = {"origin": WEB, "access-control-request-method": "PATCH"}
    answer = client().options("/api/v1/objects/", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == WEB
    assert "PATCH" in answer["Access-Control-Allow-Methods"]
    allowed = {name.strip().lower() for name in answer["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "if-match", "idempotency-key"} <= allowed
    assert {"x-request-id", "x-device-id", "accept-language"} <= allowed


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{WEB}.evil.example", ""])
def test_other_origins_get_nothing(settings: LazySettings, origin: str) -> None:
    settings.CORS_ORIGINS = [WEB]
    headers = {"origin": origin, "access-control-request-method": "GET"}
    for answer in (
        client().get("/health", headers=headers),
        client().options(ME, headers=headers),
    ):
        assert "Access-Control-Allow-Origin" not in answer
        assert "Origin" in answer["Vary"]


def test_everybody_but_without_credentials(settings: LazySettings) -> None:
    settings.CORS_ORIGINS = ["*"]
    answer = client().get("/health", headers={"origin": "https://any.example"})
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer


# --- slashes --------------------------------------------------------------------------------------


def test_both_forms_of_each_path_and_method(cast: Cast) -> None:
    api = cast.api(cast.anna)
    for path in (ME, "/api/v1/users", f"/api/v1/users/{cast.ivan.pk}", "/api/v1/objects"):
        assert api.get(path).status_code == 200
        assert api.get(f"{path}/").status_code == 200
        assert api.head(f"{path}/").status_code == 200
    assert api.patch(f"{ME}/", {"full_name": "Анна"}).json()["full_name"] == "Анна"
    assert api.get("/api/v1/users/?role=ENGINEER").status_code == 200
    assert client().get("/health/").status_code == 200
    assert client().get("/api/v1/users//").status_code == 404


# --- size -----------------------------------------------------------------------------------------

TOKEN = "/api/v1/auth/token"


def test_a_large_body_is_refused_unread(settings: LazySettings) -> None:
    settings.MAX_BODY_BYTES = 100
    body = b'{"username": "' + b"x" * 200 + b'"}'
    answer = client().post(TOKEN, body, content_type="application/json")
    envelope(answer, 413, "PAYLOAD_TOO_LARGE")


def chunked(body: bytes) -> Any:
    """A POST without a length, as a client that streams sends it."""
    extra: dict[str, Any] = {
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": "",
        "CONTENT_TYPE": "application/json",
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    return client().generic("POST", TOKEN, **extra)


def test_a_chunked_body_is_read_and_limited(settings: LazySettings) -> None:
    settings.MAX_BODY_BYTES = 100
    envelope(chunked(b'{"username": "' + b"x" * 200), 413, "PAYLOAD_TOO_LARGE")
    envelope(chunked(b'{"username": "nobody", "password": "x"}'), 401, "UNAUTHORIZED")


# --- the envelope ---------------------------------------------------------------------------------


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/none", "/api/v1/none", "/api", "/health/x", "/%FF", "/a%0Ab"])
def test_unknown_paths(settings: LazySettings, path: str, debug: bool) -> None:
    settings.DEBUG = debug
    body = envelope(client().get(path), 404, "NOT_FOUND")
    assert body["detail"].endswith("(404)")


def test_methods(cast: Cast) -> None:
    envelope(client().post("/health"), 405, "METHOD_NOT_ALLOWED")
    assert client().post("/health")["Allow"] == "GET, HEAD"
    envelope(client().get(TOKEN), 405, "METHOD_NOT_ALLOWED")
    envelope(cast.api(cast.anna).delete(f"/api/v1/users/{cast.ivan.pk}"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("body", [b"{", b" ", b"\xff", b'{"a": NaN}', b"[" * 5000])
def test_bodies_that_are_no_json(body: bytes) -> None:
    envelope(client().post(TOKEN, body, content_type="application/json"), 400, "MALFORMED")


def test_media_types() -> None:
    answer = client().post(TOKEN, b"<a/>", content_type="text/xml")
    envelope(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_foreign_hosts() -> None:
    answer = client().get(ME, headers={"host": "evil.example"})
    envelope(answer, 400, "MALFORMED")
    # A load balancer asks by address.
    assert client().get("/health", headers={"host": "10.1.2.3"}).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["rot13", "base64", "idna", "utf-16", "nonsense"])
def test_a_character_set_is_no_defect(cast: Cast, charset: str) -> None:
    """Through the application itself: Django's test client makes its requests in another way."""
    token = cast.api(cast.ivan).defaults["HTTP_AUTHORIZATION"]
    statuses = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        statuses.append(status)

    environ = RequestFactory()._base_environ(
        PATH_INFO="/api/v1/objects",
        QUERY_STRING="q=%D0%B5%D0%BB%D0%BA%D0%B0",
        CONTENT_TYPE=f"application/json; charset={charset}",
        HTTP_AUTHORIZATION=token,
    )
    assert b"".join(application(environ, start_response)).startswith(b'{"items":[]')
    assert statuses == ["200 OK"]


SECRET = "+79161234567"


def broken(kind: type[Exception]) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise kind(f"Key (phone)=({SECRET}) already exists") from error

    return fail


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("place", ["crm.users.views.MeView.shown", "crm.health.answer"])
def test_defects_say_nothing_and_are_logged_without_data(  # noqa: PLR0917 - fixtures
    cast: Cast,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    place: str,
    debug: bool,
) -> None:
    settings.DEBUG = debug
    api = cast.api(cast.anna)
    monkeypatch.setattr(place, broken(IntegrityError))
    path = ME if "Me" in place else "/health"
    with caplog.at_level(logging.INFO):
        body = envelope(api.get(f"{path}?phone={SECRET}"), 500, "INTERNAL_ERROR")
    assert SECRET not in json.dumps(body)
    assert SECRET not in caplog.text
    assert "IntegrityError" in caplog.text
    assert "KeyError" in caplog.text
    assert "test_middleware.py" in caplog.text
    assert body["error"]["request_id"] in caplog.text


def test_defects_of_middleware_wear_it_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("crm.api.middleware.BodyLimitMiddleware.__call__", broken(ValueError))
    envelope(client().get(ME), 500, "INTERNAL_ERROR")
    assert SECRET not in caplog.text
    assert "ValueError" in caplog.text


def test_a_database_that_is_away(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    api = cast.api(cast.anna)
    monkeypatch.setattr("crm.users.sessions.living", broken(OperationalError))
    answer = api.get(ME)
    envelope(answer, 503, "SERVICE_UNAVAILABLE")
    assert int(answer["Retry-After"]) > 0


# --- language -------------------------------------------------------------------------------------


def test_languages() -> None:
    def said(language: str, path: str = ME, **extra: Any) -> str:
        answer = client().get(path, headers={"accept-language": language, **extra})
        return str(json.loads(answer.content)["detail"])

    for path in (ME, "/none"):
        assert said("en", path).isascii()
        assert said("en-GB,ru;q=0.5", path).isascii()
        for russian in ("ru", "", "de", "xx-nonsense;q=what"):
            assert said(russian, path) == said("ru", path)
    # Also before Django looks at the header, and after an answer in another language.
    assert said("en", host="evil.example").isascii()
    assert said("ru", host="evil.example") == said("", host="evil.example")


# --- the log --------------------------------------------------------------------------------------


def test_the_access_log_has_no_query_strings(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="crm.access"):
        cast.api(cast.anna).get(f"/api/v1/users?q={SECRET}", headers={"x-request-id": "r-7"})
        client().get("/none%0Aforged line")
        client().get("/health")
    lines = [TextLines().format(record) for record in caplog.records if record.name == "crm.access"]
    first, second = lines
    assert "GET /api/v1/users 200 " in first
    assert f"request_id=r-7 user_id={cast.anna.pk} role=ADMIN" in first
    assert SECRET not in first
    assert "anna" not in first
    assert "GET /… 404 " in second
    assert "user_id" not in second
    assert "forged" not in second
