"""Rate limits: failed logins by address and account, requests by person and role."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from crm.api.throttling import ExportThrottle
from crm.users import login_limits
from crm.users.models import LoginFailure
from tests.cast import PASSWORD, Cast
from tests.users.conftest import LOGIN

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DEAD_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(params=["redis", "table", "redis that is away"])
def limited(
    request: pytest.FixtureRequest, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Limits turned on, counted in each of the places."""
    settings.RATE_LIMIT_ENABLED = True
    if request.param == "redis":
        request.getfixturevalue("redis_url")
    elif request.param == "table":
        settings.REDIS_URL = ""
    else:
        settings.REDIS_URL = DEAD_REDIS
        from redis import Redis

        monkeypatch.setattr(login_limits, "connection", lambda: Redis.from_url(DEAD_REDIS))
    yield request.param
    assert (LoginFailure.objects.count() > 0) == (request.param != "redis")


def attempt(
    cast: Cast,
    email: str = "ivan@crm.test",
    password: str = "wrong",  # noqa: S107 - nobody has it
    address: str = "192.0.2.1",
) -> Response:
    body = {"username": email, "password": password}
    return cast.api(None).post(LOGIN, body, REMOTE_ADDR=address)


def test_five_failures_a_minute(cast: Cast, limited: str) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(5):
            assert attempt(cast).status_code == 401
            clock.shift(10)
        answer = attempt(cast)
        assert answer.status_code == 429
        assert answer["Retry-After"] == "10"
        assert answer.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        # The right password does not help, in any spelling of the account …
        assert attempt(cast, " IVAN@crm.test", PASSWORD).status_code == 429
        # … but from elsewhere it does: nobody can lock Ivan out. Nor are colleagues touched.
        assert attempt(cast, password=PASSWORD, address="192.0.2.2").status_code == 200
        assert attempt(cast, "timur@crm.test", PASSWORD).status_code == 200
        # What was refused did not count: the window slides on.
        clock.shift(11)
        assert attempt(cast, password=PASSWORD).status_code == 200


def test_successes_do_not_count(cast: Cast, limited: str) -> None:
    for _ in range(8):
        assert attempt(cast, password=PASSWORD).status_code == 200
    attempt(cast)


def test_an_office_shares_an_address(cast: Cast, limited: str, settings: LazySettings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "LOGIN_ADDRESS": 12}
    answers = [attempt(cast, f"guess{i}@crm.test").status_code for i in range(14)]
    assert answers == [401] * 12 + [429] * 2
    assert attempt(cast, "guess1@crm.test", address="192.0.2.2").status_code == 401


def test_an_ipv6_line_is_one_address(cast: Cast, limited: str) -> None:
    answers = [attempt(cast, address=f"2001:db8:1:2::{i}").status_code for i in range(1, 7)]
    assert answers == [401] * 5 + [429]
    assert attempt(cast, address="2001:db8:1:3::1").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_do_not_slip_through(
    cast: Cast, limited: str, run_together: Callable[..., list[Any]]
) -> None:
    statuses = [answer.status_code for answer in run_together(*[lambda: attempt(cast)] * 12)]
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= 5
    for _ in range(5):
        attempt(cast)
    assert attempt(cast).status_code == 429


def test_the_table_holds_no_addresses_and_is_swept(cast: Cast, settings: LazySettings) -> None:
    settings.RATE_LIMIT_ENABLED, settings.REDIS_URL = True, ""
    with time_machine.travel(START, tick=False) as clock:
        attempt(cast)
        assert "ivan" not in repr(LoginFailure.objects.values())
        assert LoginFailure.objects.count() == 3
        clock.shift(61)
        attempt(cast, "timur@crm.test")
        assert LoginFailure.objects.count() == 3


def test_guessing_the_old_password_is_limited_too(cast: Cast, limited: str) -> None:
    client = cast.api(cast.ivan)
    body = {"old_password": "wrong", "new_password": "a much longer phrase"}
    answers = [client.post("/api/v1/auth/password", body).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_off_means_off(cast: Cast, settings: LazySettings) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 1)
    assert {attempt(cast).status_code for _ in range(8)} == {401}
    client = cast.api(cast.ivan)
    assert {client.get("/api/v1/users/me").status_code for _ in range(4)} == {200}


@pytest.mark.parametrize("place", ["redis", "this process"])
def test_requests_are_counted_by_person_and_role(
    cast: Cast, settings: LazySettings, place: str, request: pytest.FixtureRequest
) -> None:
    if place == "redis":
        request.getfixturevalue("redis_url")
    else:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.RATE_LIMIT_ENABLED = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "ENGINEER": 3, "SUPERVISOR": 5}
    with time_machine.travel(START, tick=False) as clock:
        ivan, pyotr, sergei = (cast.api(user) for user in (cast.ivan, cast.pyotr, cast.sergei))

        def statuses(client: Any, times: int) -> list[int]:
            return [client.get("/api/v1/users/me").status_code for _ in range(times)]

        clock.shift(20)
        assert statuses(ivan, 4) == [200, 200, 200, 429]
        assert statuses(pyotr, 1) == [200]
        assert statuses(sergei, 6) == [200] * 5 + [429]
        answer = ivan.get("/api/v1/users/me")
        assert answer["Retry-After"] == "40"
        assert answer.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        # Another device of the same person shares the allowance.
        assert statuses(cast.api(cast.ivan), 1) == [429]
        clock.shift(40)
        assert statuses(ivan, 1) == [200]


def test_requests_pass_when_redis_is_away(cast: Cast, settings: LazySettings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": DEAD_REDIS}
    }
    settings.RATE_LIMIT_ENABLED = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "ENGINEER": 1}
    client = cast.api(cast.ivan)
    assert [client.get("/api/v1/users/me").status_code for _ in range(3)] == [200] * 3


def test_exports_are_fewer(cast: Cast, settings: LazySettings) -> None:
    settings.RATE_LIMIT_ENABLED = True
    with time_machine.travel(START, tick=False):
        answers = []
        for user in [cast.anna] * 11 + [cast.sergei]:
            request: Any = APIRequestFactory().post("/")
            request.user = user
            answers.append(ExportThrottle().allow_request(request, None))
        assert answers == [True] * 10 + [False, True]
        assert ExportThrottle().wait() == 300
