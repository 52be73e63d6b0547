"""Tokens that are not ours: 401 in the envelope, and nothing else. Logins of every kind, too."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from crm.users import tokens
from crm.users.models import Session
from tests.cast import PASSWORD, Cast
from tests.fuzz.answers import in_time, nothing_written, sound
from tests.fuzz.effort import examples, some
from tests.fuzz.hostile import TEXTS, TOKENS

pytestmark = pytest.mark.django_db

ME, LOGIN, REFRESH = "/api/v1/users/me", "/api/v1/auth/token", "/api/v1/auth/refresh"
KEY = settings.JWT_SECRET


def session_of(user: Any) -> Session:
    now = timezone.now()
    return Session.objects.create(user=user, issued_at=now, expires_at=now + timedelta(days=1))


def shown(cast: Cast, token: str | bytes) -> int:
    """The status of `users/me` with this token."""
    text = token if isinstance(token, str) else token.decode("latin-1")
    with in_time():
        answer = cast.api(None, authorization=f"Bearer {text}").get(ME)
        sound(answer, 200, 401)
    return int(answer.status_code)


def claims(cast: Cast) -> dict[str, Any]:
    """What a sound access token of Ivan's says."""
    token = tokens.mint(session_of(cast.ivan)).access_token
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    assert shown(cast, jwt.encode(found, KEY)) == 200
    return found


def part(value: Any) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_other_algorithms_and_keys(cast: Cast) -> None:
    told = claims(cast)
    body = part(told)
    algorithm: Any
    for algorithm in (
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        None,
        "HS512",
        "HS384",
        "RS256",
        "ES256",
        "dir",
        1,
        [],
        {},
    ):
        head = part({"alg": algorithm, "typ": "JWT"})
        for signature in ("", "AAAA", part("x")):
            assert shown(cast, f"{head}.{body}.{signature}") == 401
    for key in ("x" * 40, settings.SECRET_KEY, KEY + " ", KEY[:-1], "", "public.pem"):
        for algorithm in ("HS256", "HS384", "HS512"):
            if key:
                assert shown(cast, jwt.encode(told, key, algorithm)) == 401
    for algorithm in ("HS384", "HS512"):
        assert shown(cast, jwt.encode(told, KEY, algorithm)) == 401
    assert shown(cast, jwt.encode(told, None, "none")) == 401


@pytest.mark.parametrize(
    "head",
    [{"kid": "../../dev/null"}, {"kid": "' OR 1=1"}, {"jku": "http://127.0.0.1/x"}, {"x5u": "http://127.0.0.1/x"},
     {"jwk": {"kty": "oct", "k": ""}}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"zip": "DEF"}, {"typ": "x"}, {"cty": "JWT"}],
    ids=str,
)  # fmt: skip
def test_other_headers(cast: Cast, head: dict[str, Any]) -> None:
    """Signed by us, they may be good; with a word of the header's own as the key never."""
    told = claims(cast)
    shown(cast, jwt.encode(told, KEY, headers=head))
    assert shown(cast, jwt.encode(told, "another key that is long enough", headers=head)) == 401


ODD_CLAIMS = [
    "", "x", " ", 0, -1, 1.5, 10**30, -(10**30), 1e308, float("inf"), float("-inf"), float("nan"), True, None, [], {}, [1], "9" * 400, "٣", "\x00", "1_0",
    "00000000-0000-0000-0000-000000000000",
]  # fmt: skip


@pytest.mark.parametrize(
    "claim", ["sid", "sub", "gen", "exp", "type", "jti", "iat", "nbf", "role", "aud", "iss"]
)
def test_odd_claims(cast: Cast, claim: str) -> None:
    """Rightly signed, as only a leaked key or another version of ours could."""
    told = claims(cast)
    without = {name: value for name, value in told.items() if name != claim}
    shown(cast, jwt.encode(without, KEY))
    for value in ODD_CLAIMS:
        body, head = part({**told, claim: value}), part({"alg": "HS256", "typ": "JWT"})
        signature = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{body}".encode(), KEY.encode())
        last = base64.urlsafe_b64encode(signature).decode().rstrip("=")
        status = shown(cast, f"{head}.{body}.{last}")
        assert status == 401 or claim not in {"sid", "sub", "type"}, (value, status)
        refreshed = part({**told, "type": "refresh", claim: value})
        signature = jwt.get_algorithm_by_name("HS256").sign(
            f"{head}.{refreshed}".encode(), KEY.encode()
        )
        last = base64.urlsafe_b64encode(signature).decode().rstrip("=")
        sound(cast.api(None).post(REFRESH, {"refresh_token": f"{head}.{refreshed}.{last}"}))


def test_times_and_kinds(cast: Cast) -> None:
    pair = tokens.mint(session_of(cast.ivan))
    assert shown(cast, pair.access_token) == 200
    assert shown(cast, pair.refresh_token) == 401
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=False):
        assert shown(cast, pair.access_token) == 401
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400), tick=False):
        assert shown(cast, pair.access_token) == 401
        sound(cast.api(None).post(REFRESH, {"refresh_token": pair.refresh_token}), 401)
    sound(cast.api(None).post(REFRESH, {"refresh_token": pair.access_token}), 401)


def test_any_damage(cast: Cast) -> None:
    token = tokens.mint(session_of(cast.ivan)).access_token

    @examples(120)
    @given(
        at=st.integers(0, len(token) - 1),
        cut=st.integers(0, 500),
        put=st.text("Aa0-_.= ", max_size=4),
    )
    @example(at=0, cut=0, put=".")
    def damaged(at: int, cut: int, put: str) -> None:
        text = token[:at] + put + token[at + cut :]
        # Bits of the last letter that say nothing, and padding, make the same signature.
        same = text.strip(" =")[:-1] == token[:-1]
        assert same or shown(cast, text) == 401, text

    with nothing_written():
        damaged()


HUGE = [
    "x" * 100_000,
    "." * 50_000,
    "a.b." + "c" * 60_000,
    "e30." * 10_000,
    part({"a": "b" * 50_000}) + ".x.y",
]


@examples(80)
@given(st.binary(min_size=1, max_size=200))
@example(HUGE[0].encode())
@example(HUGE[1].encode())
@example(HUGE[2].encode())
@example(HUGE[3].encode())
@example(HUGE[4].encode())
@example(b"..")
@example(b"null")
@example(part("x").encode() + b"." + part("y").encode() + b".z")
@example((part([]) + "." + part([]) + ".").encode())
@example(b"\xff.\xff.\xff")
def test_any_bytes(cast: Cast, raw: bytes) -> None:
    with nothing_written():
        assert shown(cast, raw) == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "bearer x y", "Basic OTk6OTk=", "Token x", "Bearer\tx", "Bearer,x", "\x00", "Bearer \x00", "ё", "Digest"]
)  # fmt: skip
def test_any_header(cast: Cast, header: str) -> None:
    text = header.encode().decode("latin-1")
    sound(cast.api(None, authorization=text).get(ME), 401)


def test_a_session_of_somebody_else_is_no_good(cast: Cast) -> None:
    """Claims of two sessions do not mix."""
    told, other = claims(cast), session_of(cast.anna)
    for mixed in (
        {**told, "sid": str(other.pk)}, {**told, "sub": str(cast.anna.pk)}, {**told, "sid": str(cast.anna.pk)},
    ):  # fmt: skip
        assert shown(cast, jwt.encode(mixed, KEY)) == 401


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    ("path", "field"), [(LOGIN, "username"), (LOGIN, "password"), (REFRESH, "refresh_token")]
)
def test_whatever_somebody_logs_in_with(cast: Cast, path: str, field: str, kind: str) -> None:
    from urllib.parse import quote_plus

    api = cast.api(None)
    other = {"username": "x@crm.test", "password": PASSWORD}
    values = some(TOKENS if kind == "application/json" else TEXTS, 25, path, field)
    for value in values:
        if kind == "application/json":
            rest = "".join(f',"{k}":"{v}"' for k, v in other.items() if k != field)
            body = f'{{"{field}":{value}{rest}}}'
        else:
            rest = "".join(f"&{k}={quote_plus(v)}" for k, v in other.items() if k != field)
            body = f"{field}={quote_plus(value)}{rest}"
        with in_time():
            answer = api.generic(
                "POST", path, body.encode("utf-8", "surrogatepass"), content_type=kind
            )
            sound(answer, 400, 401, 413, 415, 422)
