"""Requests that waited too long for their turn, and pages while the database is away."""

import time
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from crm.backoffice import middleware
from tests.contracts.envelope import refused


@pytest.fixture
def behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT, settings.REQUEST_QUEUE_SECONDS = 1, 10


def ago(seconds: float) -> str:
    return str(int((time.time() - seconds) * 1000))


def asked(path: str, start: str) -> Any:
    return Client().get(path, headers={"X-Request-Start": start, "Accept-Language": "en"})


@pytest.mark.usefixtures("behind_a_proxy")
def test_who_has_waited_too_long_is_refused_before_anything_is_looked_up() -> None:
    # No database in this test: a query would fail it.
    answer = asked("/api/v1/objects", ago(11))
    assert refused(answer, 503, "SERVICE_UNAVAILABLE") == {}
    assert 5 <= int(answer.headers["Retry-After"]) <= 30
    assert answer.headers["X-Request-ID"]


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize("start", ["", "x", "²", "-5", "9" * 400, "1", 5, -60, 700])
def test_everybody_else_is_not(start: str | int) -> None:
    told = ago(start) if isinstance(start, int) else start
    assert asked("/api/v1/objects", told).status_code == 401


@pytest.mark.usefixtures("behind_a_proxy")
def test_probes_are_answered_whatever_their_wait() -> None:
    assert asked("/health", ago(60)).status_code == 200


def test_without_a_proxy_of_ours_nobody_is_believed(settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT, settings.REQUEST_QUEUE_SECONDS = 0, 10
    assert asked("/api/v1/objects", ago(60)).status_code == 401


def test_it_can_be_turned_off(settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT, settings.REQUEST_QUEUE_SECONDS = 1, 0
    assert asked("/api/v1/objects", ago(60)).status_code == 401


def test_a_page_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions are looked up before any view: an outage there is none of Django's 500s."""

    def away(_request: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(middleware, "person_at", away)
    answer = Client(raise_request_exception=False).get("/admin/login/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_defect_there_stays_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_request: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(middleware, "person_at", broken)
    answer = Client(raise_request_exception=False).get("/admin/login/")
    assert answer.status_code == 500
