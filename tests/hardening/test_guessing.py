"""Who guesses passwords is stopped, wherever they come from; and cannot stop the account's owner with it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from crm.users import login_limits
from crm.users.models import KnownPlace, LoginFailure
from tests.cast import PASSWORD, Cast
from tests.office.desk import LOGIN as OFFICE_DOOR
from tests.office.desk import browser
from tests.users.conftest import LOGIN

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOME, OFFICE, ELSEWHERE = "192.0.2.1", "192.0.2.77", "198.51.100.9"
PHONE, TABLET = "d7f0c1b2-6a5e-4f3d-9c8b-7a6f5e4d3c2b", "11112222-3333-4444-5555-666677778888"
FAMOUS = "ivan@crm.test"
# As in production, but fewer: each guess costs a hash.
LIMITS = {"LOGIN_ACCOUNT": 3, "LOGIN_ADDRESS": 9, "LOGIN_STRANGERS": 6}
MANY = 10
WRONG = "not the password"


@pytest.fixture(params=["redis", "table"])
def limited(request: pytest.FixtureRequest, settings: LazySettings) -> Iterator[LazySettings]:
    """Limits, counted in each of the places; the clock stands still."""
    settings.RATE_LIMIT_ENABLED = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, **LIMITS}
    if request.param == "redis":
        request.getfixturevalue("redis_url")
    else:
        settings.REDIS_URL = ""
    with time_machine.travel(START, tick=False):
        yield settings


def attempt(
    cast: Cast, account: str = FAMOUS, password: str = WRONG, at: str = HOME, device: str = ""
) -> int:
    """The status of a login."""
    body = {"username": account, "password": password}
    headers = {"x-device-id": device} if device else {}
    status: int = cast.api(None).post(LOGIN, body, REMOTE_ADDR=at, headers=headers).status_code
    return status


def hammered(cast: Cast, account: str = FAMOUS, *, at: str | None = None) -> list[int]:
    """Somebody guesses many times: from one address, or each time from another."""
    return [attempt(cast, account, at=at or f"203.0.113.{n}") for n in range(MANY)]


def test_a_thousand_addresses_have_no_more_guesses(cast: Cast, limited: LazySettings) -> None:
    assert hammered(cast) == [401] * 6 + [429] * 4
    # The right password does not help a stranger: nobody learns that it was right.
    assert attempt(cast, password=PASSWORD, at=ELSEWHERE) == 429
    # Other accounts have nothing to do with it.
    assert attempt(cast, "timur@crm.test", PASSWORD, at=ELSEWHERE) == 200


def test_accounts_that_do_not_exist_are_guessed_at_alike(cast: Cast, limited: LazySettings) -> None:
    """Else the limit would tell which accounts there are."""
    assert hammered(cast, "nobody@crm.test") == hammered(cast)


def test_the_owner_gets_in_where_they_have_been_before(cast: Cast, limited: LazySettings) -> None:
    assert attempt(cast, password=PASSWORD, at=HOME) == 200
    hammered(cast)
    assert attempt(cast, password=PASSWORD, at=HOME) == 200
    assert attempt(cast, at=HOME) == 401
    assert attempt(cast, password=PASSWORD, at=ELSEWHERE) == 429


def test_the_owner_gets_in_on_their_phone_wherever_it_is(cast: Cast, limited: LazySettings) -> None:
    """Behind a mobile network's one address the guesser may well be a neighbour."""
    assert attempt(cast, password=PASSWORD, at=HOME, device=PHONE) == 200
    hammered(cast)
    hammered(cast, at=ELSEWHERE)
    assert attempt(cast, password=PASSWORD, at=ELSEWHERE) == 429
    assert attempt(cast, password=PASSWORD, at=ELSEWHERE, device=PHONE) == 200


def test_a_whole_office_is_not_shut_out_by_one_guesser(cast: Cast, limited: LazySettings) -> None:
    assert attempt(cast, "sergei@crm.test", PASSWORD, at=OFFICE) == 200
    answers = [attempt(cast, f"guess{n}@crm.test", at=OFFICE) for n in range(MANY)]
    assert answers == [401] * 9 + [429]
    assert attempt(cast, "timur@crm.test", PASSWORD, at=OFFICE) == 429
    assert attempt(cast, "sergei@crm.test", PASSWORD, at=OFFICE) == 200


def test_a_known_place_is_no_place_to_guess_from(cast: Cast, limited: LazySettings) -> None:
    assert attempt(cast, password=PASSWORD, at=HOME, device=PHONE) == 200
    assert [attempt(cast, at=HOME) for _ in range(5)] == [401] * 3 + [429] * 2
    # Nor is a stolen phone.
    assert [attempt(cast, at=ELSEWHERE, device=PHONE) for _ in range(5)] == [401] * 3 + [429] * 2


@pytest.mark.parametrize("device", [TABLET, "phone", "x" * 500, "d7f0c1b2 6a5e 4f3d 9c8b"])
def test_other_names_of_devices_open_nothing(
    cast: Cast, limited: LazySettings, device: str
) -> None:
    assert attempt(cast, password=PASSWORD, at=HOME, device=PHONE) == 200
    hammered(cast)
    assert attempt(cast, password=PASSWORD, at=ELSEWHERE, device=device) == 429


def test_a_short_name_is_not_remembered(cast: Cast, limited: LazySettings) -> None:
    """Many phones call themselves `android`: whoever guesses does, too."""
    assert attempt(cast, password=PASSWORD, at=HOME, device="android") == 200
    hammered(cast)
    assert attempt(cast, password=PASSWORD, at=ELSEWHERE, device="android") == 429


def test_a_device_opens_its_owners_account_alone(cast: Cast, limited: LazySettings) -> None:
    assert attempt(cast, "timur@crm.test", PASSWORD, at=HOME, device=TABLET) == 200
    hammered(cast)
    assert attempt(cast, password=PASSWORD, at=ELSEWHERE, device=TABLET) == 429


def test_failures_make_no_place_known(cast: Cast, limited: LazySettings) -> None:
    attempt(cast, device=PHONE)
    assert KnownPlace.objects.count() == 0
    hammered(cast)
    assert attempt(cast, password=PASSWORD, device=PHONE) == 429


def test_a_browser_is_known_again(cast: Cast, limited: LazySettings) -> None:
    def enter(client: Any, at: str) -> int:
        body = {"username": "sergei@crm.test", "password": PASSWORD}
        return int(client.post(OFFICE_DOOR, body, REMOTE_ADDR=at).status_code)

    mine, other = browser(), browser()
    for client in (mine, other):
        cookie = client.get(OFFICE_DOOR).cookies["crm_device"]
        assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/admin/", "Lax", True)
    assert enter(mine, OFFICE) == 302
    mine.cookies.pop("crm_office")
    hammered(cast, "sergei@crm.test")
    assert enter(other, ELSEWHERE) == 429
    assert enter(mine, ELSEWHERE) == 302
    # It keeps its name.
    assert "crm_device" not in mine.get(OFFICE_DOOR).cookies


def test_places_are_forgotten_in_time_and_say_nothing(cast: Cast, limited: LazySettings) -> None:
    with time_machine.travel(START, tick=False) as clock:
        attempt(cast, password=PASSWORD, at=HOME, device=PHONE)
        kept = repr(list(KnownPlace.objects.values()))
        assert KnownPlace.objects.count() == 2
        assert not any(word in kept for word in ("ivan", HOME, PHONE))
        # Coming back counts anew.
        clock.shift(login_limits.KNOWN_FOR - timedelta(days=1))
        attempt(cast, password=PASSWORD, at=HOME)
        clock.shift(timedelta(days=2))
        attempt(cast, "timur@crm.test", PASSWORD, at=OFFICE)
        assert KnownPlace.objects.count() == 2
        hammered(cast)
        assert attempt(cast, password=PASSWORD, at=HOME) == 200
        assert attempt(cast, password=PASSWORD, at=ELSEWHERE, device=PHONE) == 429


def test_somebody_inside_is_not_kept_from_a_new_password(cast: Cast, limited: LazySettings) -> None:
    hammered(cast, at="127.0.0.1")
    body = {"old_password": PASSWORD, "new_password": "a much longer phrase"}
    assert cast.api(cast.ivan).post("/api/v1/auth/password", body).status_code == 204


def test_what_is_refused_is_not_looked_at(
    cast: Cast, limited: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No hash, so that a flood of guesses does not keep the server busy."""
    for _ in range(3):
        attempt(cast)
    monkeypatch.setattr("crm.users.passwords.verified", lambda *_: pytest.fail("hashed"))
    failures = LoginFailure.objects.count()
    assert [attempt(cast) for _ in range(3)] == [429] * 3
    assert LoginFailure.objects.count() == failures
