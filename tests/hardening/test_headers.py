"""Every answer carries the headers that keep a browser from doing more with it than it is meant for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError
from django.test import Client

from tests.cast import PASSWORD, Cast
from tests.office.desk import LOGIN as OFFICE_DOOR
from tests.office.desk import desk

pytestmark = pytest.mark.django_db

API = "/api/v1"


def stranger(**kwargs: Any) -> Client:
    return Client(raise_request_exception=False, **kwargs)


def broken(*_: Any, **__: Any) -> None:
    raise IntegrityError


def on_every_answer(answer: Any) -> None:
    """The headers themselves."""
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "geolocation=()" in answer["Permissions-Policy"]
    assert answer["X-Request-ID"]
    policy = directives(answer)
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert "'unsafe-inline'" not in policy.get("script-src", [])
    sources = [source for each in policy.values() for source in each]
    assert not any("*" in source or "http:" in source for source in sources)
    assert "Server" not in answer


def directives(answer: Any) -> dict[str, list[str]]:
    """The parts of the Content-Security-Policy."""
    parts = [part.split() for part in answer["Content-Security-Policy"].split(";")]
    return {part[0]: part[1:] for part in parts}


Ask = Callable[[Cast], Any]
ANSWERS: dict[str, tuple[int, Ask]] = {
    "a list": (200, lambda cast: cast.api(cast.anna).get(f"{API}/users")),
    "the feed": (200, lambda cast: cast.api(cast.anna).get(f"{API}/sync/changes")),
    "a login": (
        200,
        lambda cast: cast.api(None).post(
            f"{API}/auth/token", {"username": cast.anna.email, "password": PASSWORD}
        ),
    ),
    "no token": (401, lambda _: stranger().get(f"{API}/users")),
    "no right": (403, lambda cast: cast.api(cast.ivan).get(f"{API}/users")),
    "an unknown path": (404, lambda _: stranger().get("/none")),
    "a wrong method": (405, lambda _: stranger().post("/health")),
    "a body too large": (
        413,
        lambda _: stranger().post(f"{API}/auth/token", CONTENT_LENGTH=str(10**9)),
    ),
    "a wrong value": (422, lambda cast: cast.api(cast.anna).get(f"{API}/users?page=0")),
    "a foreign host": (400, lambda _: stranger().get(API, headers={"host": "evil.example"})),
    "a preflight": (
        204,
        lambda _: stranger().options(
            API, headers={"origin": "https://a.example", "access-control-request-method": "GET"}
        ),
    ),
    "a probe": (200, lambda _: stranger().get("/health")),
    "figures": (200, lambda _: stranger().get("/metrics")),
    "the schema": (200, lambda _: stranger().get("/openapi.json")),
    "Swagger": (200, lambda _: stranger().get("/docs")),
    "Redoc": (200, lambda _: stranger().get("/redoc")),
    "a script": (200, lambda _: stranger().get("/static/crm/swagger.js")),
    "a file that is not there": (404, lambda _: stranger().get("/static/none.js")),
    "the office's door": (200, lambda _: stranger().get(OFFICE_DOOR)),
    "the office": (200, lambda cast: desk(cast.sergei).get("/admin/")),
    "a page that is not there": (404, lambda cast: desk(cast.sergei).get("/admin/none/")),
    "a form without its token": (
        403,
        lambda _: stranger(enforce_csrf_checks=True).post(OFFICE_DOOR),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_headers(cast: Cast, name: str) -> None:
    status, ask = ANSWERS[name]
    answer = ask(cast)
    if answer.streaming:
        # Its connection to the database is free again only at its end.
        answer.getvalue()
    assert answer.status_code == status
    on_every_answer(answer)


def test_headers_of_a_defect(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.users.views.MeView.shown", broken)
    answer = cast.api(cast.anna, raise_request_exception=False).get(f"{API}/users/me")
    assert answer.status_code == 500
    on_every_answer(answer)


def test_headers_of_a_defect_in_middleware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.api.middleware.BodyLimitMiddleware.__call__", broken)
    answer = stranger().get("/health")
    assert answer.status_code == 500
    on_every_answer(answer)


def test_answers_of_the_api_may_run_and_load_nothing(cast: Cast) -> None:
    answer = cast.api(cast.anna).get(f"{API}/users")
    assert not {"script-src", "img-src", "connect-src", "style-src"} & {*directives(answer)}


def test_nobody_keeps_the_apis_answers(cast: Cast) -> None:
    """Personal data stays out of the caches of browsers and proxies."""
    place = cast.object()
    client = cast.api(cast.sergei)
    for path in ("users", "objects", f"objects/{place.pk}", "users/me", "analytics/summary"):
        assert client.get(f"{API}/{path}")["Cache-Control"] == "no-store", path
    # Dictionaries have a tag to ask again with; what is kept of them is asked for each time.
    assert "no-store" not in client.get(f"{API}/dictionaries/cities").headers["Cache-Control"]


# --- HTTPS ----------------------------------------------------------------------------------------


@pytest.fixture
def behind_https(settings: LazySettings) -> LazySettings:
    """What HTTPS=true sets."""
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^(health|ready|metrics|worker/health|worker/ready)/?$"]
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    return settings


PROXIED = {"x-forwarded-proto": "https"}


def test_http_is_sent_to_https(behind_https: LazySettings) -> None:
    for path in (f"{API}/users/me", "/docs", "/admin/", "/static/crm/swagger.js", "/healthy"):
        answer = stranger().get(path)
        assert (answer.status_code, answer["Location"]) == (301, f"https://testserver{path}")
        on_every_answer(answer)
    answer = stranger().get(f"{API}/users/me", headers=PROXIED)
    assert answer.status_code == 401
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("path", ["/health", "/health/", "/ready", "/metrics", "/worker/health"])
def test_probes_come_by_http_all_the_same(behind_https: LazySettings, path: str) -> None:
    answer = stranger().get(path, headers={"host": "10.0.0.7:8000"})
    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in answer


# --- the figures' password ------------------------------------------------------------------------


def test_figures_may_have_a_password(settings: LazySettings) -> None:
    settings.METRICS_TOKEN = "a password for figures"
    for header in ("", "Bearer", "Bearer wrong", "Basic a password for figures", "Bearer ё"):
        answer = stranger().get("/metrics", headers={"authorization": header})
        assert answer.status_code == 401, header
        assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    headers = {"authorization": "Bearer a password for figures", "accept": "text/plain"}
    answer = stranger().get("/metrics", headers=headers)
    assert b"crm_up 1" in answer.content
    assert stranger().get("/health").status_code == 200
