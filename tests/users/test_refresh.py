"""Refreshing: each token once, except when its answer was lost."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings

from crm.changes import Action, Change
from crm.users.models import Session, User
from tests.cast import Cast
from tests.users.conftest import log_in, refresh, status_of_me

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_new_pair_and_the_old_one_is_dead(cast: Cast) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    answer = refresh(cast, first["refresh_token"])
    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert status_of_me(cast, second["access_token"]) == 200
    assert refresh(cast, second["refresh_token"]).status_code == 200


def test_a_dead_token_used_again_kills_the_family(cast: Cast, told: list[Change]) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    stranger = log_in(cast, "ivan@crm.test").json()
    second = refresh(cast, first["refresh_token"]).json()
    assert refresh(cast, first["refresh_token"]).status_code == 401
    assert status_of_me(cast, second["access_token"]) == 401
    assert refresh(cast, second["refresh_token"]).status_code == 401
    assert status_of_me(cast, stranger["access_token"]) == 200
    ended = [change.after for change in told if change.action == Action.LOGOUT]
    assert [fact["reason"] for fact in ended if fact] == ["refresh_token_reused"]


def test_the_same_request_repeated_gets_the_same_pair(cast: Cast) -> None:
    with time_machine.travel(START, tick=False) as clock:
        first = log_in(cast, "ivan@crm.test").json()
        clock.shift(60)
        second = refresh(cast, first["refresh_token"], idempotency_key="lift-1")
        clock.shift(299)
        again = refresh(cast, first["refresh_token"], idempotency_key="lift-1")
        assert again.status_code == 200
        assert again.json() == second.json()
        assert status_of_me(cast, again.json()["access_token"]) == 200
        clock.shift(2)
        assert refresh(cast, first["refresh_token"], idempotency_key="lift-1").status_code == 401
        assert status_of_me(cast, again.json()["access_token"]) == 401


@pytest.mark.parametrize("key", ["lift-2", "", "LIFT-1"])
def test_another_key_is_another_request(cast: Cast, key: str) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    second = refresh(cast, first["refresh_token"], idempotency_key="lift-1").json()
    assert refresh(cast, first["refresh_token"], idempotency_key=key).status_code == 401
    assert status_of_me(cast, second["access_token"]) == 401


def test_only_the_last_refresh_can_be_repeated(cast: Cast) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    second = refresh(cast, first["refresh_token"], idempotency_key="k").json()
    third = refresh(cast, second["refresh_token"], idempotency_key="k").json()
    assert refresh(cast, first["refresh_token"], idempotency_key="k").status_code == 401
    assert status_of_me(cast, third["access_token"]) == 401


def test_keys_are_kept_as_hashes(cast: Cast) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    refresh(cast, first["refresh_token"], idempotency_key="lift-1")
    session = Session.objects.get()
    row = repr(Session.objects.values())
    assert len(session.refresh_key_hash) == 64
    assert "lift-1" not in row
    assert first["refresh_token"] not in row


def test_an_endless_key_is_refused(cast: Cast) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    answer = refresh(cast, first["refresh_token"], idempotency_key="k" * 256)
    assert answer.status_code == 422
    assert refresh(cast, first["refresh_token"]).status_code == 200


def test_lifetimes(cast: Cast) -> None:
    with time_machine.travel(START, tick=False) as clock:
        first = log_in(cast, "ivan@crm.test").json()
        clock.shift(30 * 60 + 1)
        assert status_of_me(cast, first["access_token"]) == 401
        clock.shift(13 * 86_400)
        second = refresh(cast, first["refresh_token"])
        assert second.status_code == 200
        # Each refresh begins a new fortnight.
        clock.shift(13 * 86_400)
        third = refresh(cast, second.json()["refresh_token"]).json()
        clock.shift(14 * 86_400 + 1)
        assert refresh(cast, third["refresh_token"]).status_code == 401
        # Whoever logs in sweeps their own dead sessions away.
        log_in(cast, "ivan@crm.test")
        assert Session.objects.count() == 1


def test_the_blocked_get_nothing(cast: Cast) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    User.objects.filter(pk=cast.ivan.pk).update(is_active=False)
    assert refresh(cast, first["refresh_token"]).status_code == 401


def test_a_new_role_is_in_the_next_token(cast: Cast) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    User.objects.filter(pk=cast.ivan.pk).update(role="SUPERVISOR")
    second = refresh(cast, first["refresh_token"]).json()
    claims = jwt.decode(second["access_token"], settings.JWT_SECRET, algorithms=["HS256"])
    assert claims["role"] == "SUPERVISOR"
    assert "users:write" in claims["scopes"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"refresh_token": ""}, 422),
        ({"refresh_token": None}, 422),
        ({"refresh_token": "nonsense"}, 401),
        ({"refresh_token": "x" * 5000}, 422),
        ({"refresh_token": "W1tb" * 900 + ".e30.x"}, 401),
    ],
)
def test_what_is_no_refresh_token(cast: Cast, body: Any, status: int) -> None:
    answer = cast.api(None).post("/api/v1/auth/refresh", body, format="json")
    assert answer.status_code == status


def test_an_access_token_refreshes_nothing_and_kills_nothing(cast: Cast) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    assert refresh(cast, first["access_token"]).status_code == 401
    assert status_of_me(cast, first["refresh_token"]) == 401
    assert refresh(cast, first["refresh_token"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins_and_the_family_dies(
    cast: Cast, run_together: Callable[..., list[Any]]
) -> None:
    first = log_in(cast, "ivan@crm.test").json()
    answers = run_together(*[lambda: refresh(cast, first["refresh_token"])] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert Session.objects.get().generation == 2
    assert Session.objects.get().ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_key_are_one(
    cast: Cast, run_together: Callable[..., list[Any]]
) -> None:
    first = log_in(cast, "ivan@crm.test").json()

    def again() -> Any:
        return refresh(cast, first["refresh_token"], idempotency_key="lift-1")

    answers = run_together(again, again, again, again)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert status_of_me(cast, answers[0].json()["access_token"]) == 200
