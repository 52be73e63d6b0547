"""Logging in and out, and what a token is good for."""

import re
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import LazySettings, settings
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.response import Response

from crm.changes import Action, Change
from crm.users import passwords
from crm.users.models import Session, User
from tests.cast import PASSWORD, Cast
from tests.users.conftest import LOGIN, log_in, status_of_me

pytestmark = pytest.mark.django_db


def test_a_pair_for_json_and_form(cast: Cast) -> None:
    for extra in ({}, {"content_type": "application/x-www-form-urlencoded"}):
        client = cast.api(None)
        body: Any = {"username": "ivan@crm.test", "password": PASSWORD}
        if extra:
            body = f"username=ivan%40crm.test&password={PASSWORD.replace(' ', '+')}"
        answer = client.post(LOGIN, body, **extra)
        assert answer.status_code == 200, answer.content
        assert answer.json()["token_type"] == "bearer"
        assert answer.json()["expires_in"] == 1800
        assert answer["Cache-Control"] == "no-store"
        assert status_of_me(cast, answer.json()["access_token"]) == 200


def test_claims(cast: Cast) -> None:
    token = log_in(cast, "ivan@crm.test").json()["access_token"]
    claims = jwt.decode(token, settings.JWT_SECRET, algorithms=["HS256"])
    assert claims["sub"] == str(cast.ivan.pk)
    assert claims["sid"] == str(Session.objects.get().pk)
    assert claims["role"] == "ENGINEER"
    assert claims["scopes"] == cast.ivan.scopes
    assert claims["type"] == "access"
    assert claims["exp"] - claims["iat"] == 1800
    assert claims["jti"]


@pytest.mark.parametrize("typed", ["  Ivan@CRM.test ", "IVAN@crm.TEST"])
def test_the_login_is_trimmed_and_in_any_case(cast: Cast, typed: str) -> None:
    assert log_in(cast, typed).status_code == 200


def test_last_login_is_kept(cast: Cast) -> None:
    before = timezone.now()
    log_in(cast, "ivan@crm.test")
    cast.ivan.refresh_from_db()
    assert cast.ivan.last_login >= before


def refused_logins(cast: Cast) -> list[Response]:
    User.objects.filter(pk=cast.timur.pk).update(is_active=False)
    User.objects.filter(pk=cast.pyotr.pk).update(password=hashers.make_password(None))
    return [
        log_in(cast, "nobody@crm.test"),
        log_in(cast, "timur@crm.test"),
        log_in(cast, "pyotr@crm.test"),
        log_in(cast, "ivan@crm.test", "wrong password"),
        log_in(cast, "no e-mail at all"),
    ]


def test_one_answer_to_everybody_who_may_not(cast: Cast) -> None:
    bodies = []
    for answer in refused_logins(cast):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        body = answer.json()
        body["error"].pop("request_id")
        bodies.append(body)
    assert bodies[0]["detail"].endswith("(401)")
    assert all(body == bodies[0] for body in bodies)


def test_every_refusal_costs_one_hash(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords.decoy()
    verified = []
    real = hashers.Argon2PasswordHasher.verify

    def counting(self: Any, password: str, encoded: str) -> bool:
        verified.append(encoded)
        return real(self, password, encoded)

    monkeypatch.setattr("crm.users.hashing.Argon2Hasher.verify", counting)
    assert [answer.status_code for answer in refused_logins(cast)] == [401] * 5
    assert len(verified) == 5
    log_in(cast, "ivan@crm.test")
    assert len(verified) == 6


def test_every_refusal_does_the_same_work(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    """The time tells nothing of the account: it goes into one hash, equally costly, and the same statements.

    Counted rather than measured: a busy machine makes any time longer.
    """
    settings.RATE_LIMIT_ENABLED, settings.REDIS_URL = True, ""
    passwords.decoy()
    hashed: list[str] = []
    real = hashers.Argon2PasswordHasher.verify

    def counting(self: Any, password: str, encoded: str) -> bool:
        hashed.append(encoded.rpartition("$")[0].rpartition("$")[0])
        return real(self, password, encoded)

    monkeypatch.setattr("crm.users.hashing.Argon2Hasher.verify", counting)
    monkeypatch.setattr(hashers.PBKDF2PasswordHasher, "verify", lambda *_: pytest.fail("another"))
    User.objects.filter(pk=cast.timur.pk).update(is_active=False)
    User.objects.filter(pk=cast.pyotr.pk).update(password=hashers.make_password(None))
    work = set()
    for email in ("nobody@crm.test", "timur@crm.test", "pyotr@crm.test", "ivan@crm.test", "x"):
        hashed.clear()
        with CaptureQueriesContext(connection) as asked:
            assert log_in(cast, email, "wrong password").status_code == 401
        work.add((tuple(hashed), tuple(shape(query["sql"]) for query in asked)))
    assert len(work) == 1
    (hashes, statements) = work.pop()
    assert hashes == ("argon2$argon2id$v=19$m=19456,t=2,p=1",)
    assert len(statements) > 3


def shape(sql: str) -> str:
    """A statement without its values."""
    return re.sub(r"'[^']*'|\b[0-9a-f]{32}\b|\b\d+\b|NULL|s\d+_x\d+", "?", sql)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"username": "ivan@crm.test"}, 422),
        ({"username": "ivan@crm.test", "password": ""}, 422),
        ({"username": "ivan@crm.test", "password": "x" * 1025}, 422),
        ({"username": "x" * 300, "password": "x"}, 422),
        ({"username": ["ivan@crm.test"], "password": {"a": 1}}, 422),
        ([], 422),
        ("ivan", 422),
        ({"username": "ivan\x00@crm.test", "password": "x"}, 400),
        ({"username": "ivan@crm.test", "password": "x\x00"}, 400),
    ],
)
def test_odd_bodies_are_the_callers_mistakes(cast: Cast, body: Any, status: int) -> None:
    answer = cast.api(None).post(LOGIN, body, format="json")
    assert answer.status_code == status
    assert answer.json()["error"]["code"] in {"VALIDATION_ERROR", "MALFORMED"}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("username=ivan%00&password=x", 422),
        ("username=%ED%A0%80&password=%FF%FE", 401),
        ("", 422),
        ("&".join(f"f{i}=1" for i in range(1100)), 400),
    ],
)
@pytest.mark.parametrize("charset", ["", "; charset=rot13", "; charset=utf-16"])
def test_odd_forms_are_the_callers_mistakes(
    cast: Cast, form: str, status: int, charset: str
) -> None:
    kind = f"application/x-www-form-urlencoded{charset}"
    assert cast.api(None).post(LOGIN, form, content_type=kind).status_code == status


def test_spaces_belong_to_the_password(cast: Cast) -> None:
    assert log_in(cast, "ivan@crm.test", f" {PASSWORD}").status_code == 401


def test_an_outdated_hash_is_renewed(cast: Cast) -> None:
    User.objects.filter(pk=cast.ivan.pk).update(
        password=hashers.make_password(PASSWORD, hasher="pbkdf2_sha256")
    )
    assert log_in(cast, "ivan@crm.test").status_code == 200
    cast.ivan.refresh_from_db()
    assert cast.ivan.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert log_in(cast, "ivan@crm.test").status_code == 200


def test_a_request_asks_the_database_once_for_its_caller(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    client = cast.api(cast.ivan)
    # One for session and person, one for what is shown.
    with django_assert_num_queries(2):
        assert client.get("/api/v1/users/me").status_code == 200


def forged(cast: Cast, **claims: Any) -> str:
    session = Session.objects.create(user=cast.ivan, expires_at=timezone.now())
    now = int(time.time())
    payload = {
        "type": "access",
        "sub": str(cast.ivan.pk),
        "sid": str(session.pk),
        "gen": 1,
        "jti": "x",
        "iat": now,
        "exp": now + 60,
        **claims,
    }
    return jwt.encode({k: v for k, v in payload.items() if v is not None}, settings.JWT_SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer a b",
        "Bearer nonsense",
        "Bearer a.b.c",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 10_000,
        # A header of brackets without end, parsed before its signature is looked at.
        "Bearer W1tb" + "W1tb" * 900 + ".e30.x",
        "Basic aXZhbjppdmFu",
        "",
    ],
)
def test_what_is_no_token(cast: Cast, header: str) -> None:
    answer = cast.api(None, authorization=header).get("/api/v1/users/me")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert answer.json()["detail"].endswith("(401)")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"type": "refresh"},
        {"type": None},
        {"sid": "nonsense"},
        {"sid": 5},
        {"sid": None},
        {"sub": str(uuid4())},
        {"gen": None},
        # The row's own expiry, which `forged` sets to now.
        {},
    ],
)
def test_signed_but_not_good(cast: Cast, claims: dict[str, Any]) -> None:
    assert status_of_me(cast, forged(cast, **claims)) == 401


def test_another_key_and_no_key(cast: Cast) -> None:
    good = log_in(cast, "ivan@crm.test").json()["access_token"]
    claims = jwt.decode(good, settings.JWT_SECRET, algorithms=["HS256"])
    assert status_of_me(cast, jwt.encode(claims, "another key, also long enough to be one")) == 401
    assert status_of_me(cast, jwt.encode(claims, "", algorithm="none")) == 401
    assert status_of_me(cast, jwt.encode(claims, settings.JWT_SECRET, algorithm="HS512")) == 401


def test_logout_kills_both_tokens_at_once(cast: Cast) -> None:
    pair = log_in(cast, "ivan@crm.test").json()
    other = log_in(cast, "ivan@crm.test").json()
    client = cast.api(None, authorization=f"Bearer {pair['access_token']}")
    answer = client.post("/api/v1/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert status_of_me(cast, pair["access_token"]) == 401
    body = {"refresh_token": pair["refresh_token"]}
    assert cast.api(None).post("/api/v1/auth/refresh", body).status_code == 401
    assert status_of_me(cast, other["access_token"]) == 200


def test_deactivation_role_and_territory_act_on_the_next_request(cast: Cast) -> None:
    client = cast.api(cast.ivan)
    assert client.get("/api/v1/users").status_code == 403
    User.objects.filter(pk=cast.ivan.pk).update(role="SUPERVISOR", city=cast.moscow, district=None)
    assert client.get("/api/v1/users").status_code == 200
    User.objects.filter(pk=cast.ivan.pk).update(is_active=False)
    assert client.get("/api/v1/users").status_code == 401


def test_password_change_ends_the_other_sessions(cast: Cast) -> None:
    here = log_in(cast, "ivan@crm.test").json()
    elsewhere = log_in(cast, "ivan@crm.test").json()
    client = cast.api(None, authorization=f"Bearer {here['access_token']}")
    body = {"old_password": PASSWORD, "new_password": "a much longer phrase"}
    assert client.post("/api/v1/auth/password", body).status_code == 204
    assert status_of_me(cast, here["access_token"]) == 200
    assert status_of_me(cast, elsewhere["access_token"]) == 401
    assert log_in(cast, "ivan@crm.test").status_code == 401
    assert log_in(cast, "ivan@crm.test", "a much longer phrase").status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", "a much longer phrase", "old_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "password123", "new_password"),
        (PASSWORD, "1938475610293", "new_password"),
        (PASSWORD, "ivan@crm.test", "new_password"),
        (PASSWORD, None, "new_password"),
    ],
)
def test_password_changes_that_are_refused(cast: Cast, old: str, new: str, field: str) -> None:
    client = cast.api(cast.ivan)
    body = {"old_password": old, "new_password": new}
    answer = client.post("/api/v1/auth/password", body)
    assert answer.status_code == 422
    assert list(answer.json()["error"]["details"]["fields"]) == [field]
    assert log_in(cast, "ivan@crm.test").status_code == 200


def facts(told: list[Change], action: Action) -> list[Any]:
    return [(change.entity_id, change.after) for change in told if change.action == action]


def test_what_is_told_of_logins(cast: Cast, told: list[Change]) -> None:
    pair = log_in(
        cast, "ivan@crm.test", headers={"user-agent": "phone", "x-request-id": "r1"}
    ).json()
    session = Session.objects.get()
    assert (session.ip_address, session.user_agent) == ("127.0.0.1", "phone")
    log_in(cast, "Ivan@crm.test", "wrong password")
    log_in(cast, "somebody@else.test", "wrong password")
    client = cast.api(None, authorization=f"Bearer {pair['access_token']}")
    client.post("/api/v1/auth/logout")
    ivan = cast.ivan.pk
    assert facts(told, Action.LOGIN) == [(ivan, {"session_id": str(session.pk)})]
    assert facts(told, Action.LOGIN_FAILED) == [
        (ivan, {"username": "Iv***@crm.test"}),
        (None, {"username": "so***@else.test"}),
    ]
    assert facts(told, Action.LOGOUT) == [(ivan, {"session_id": str(session.pk)})]
    login, failed, *_, logout = told
    assert (login.origin.actor, login.origin.request_id, login.city_id) == (
        cast.ivan,
        "r1",
        cast.moscow.pk,
    )
    assert login.origin.user_agent == "phone"
    assert failed.origin.actor is None
    assert logout.origin.actor == cast.ivan


def test_what_is_told_of_a_password_change(cast: Cast, told: list[Change]) -> None:
    cast.api(cast.ivan)
    body = {"old_password": PASSWORD, "new_password": "a much longer phrase"}
    cast.api(cast.ivan).post("/api/v1/auth/password", body)
    assert [change.action for change in told] == [Action.LOGOUT, Action.PASSWORD]
    assert "longer" not in repr(told)
