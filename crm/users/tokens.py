"""The tokens of a session: signed, short, and minted only from what the session row holds.

The same row gives the same pair, so that a refresh whose answer was lost can be answered again, and no
token is ever stored.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from crm.users.models import Session

# Several times the size of ours.
MAX_TOKEN = 4096
# Of how many tokens a process remembers that their signature is right.
REMEMBERED = 4096


class InvalidToken(Exception):
    """Not a token of ours, of another kind, or too old."""


def keys() -> tuple[str, ...]:
    """The secret that signs tokens, then the earlier ones whose tokens are still good."""
    return (settings.JWT_SECRET, *settings.JWT_SECRET_FALLBACKS)


@cache
def backend(key: str) -> TokenBackend:
    """Signs and verifies with that secret."""
    return TokenBackend("HS256", key)


class SignedToken(Token):
    """A new token, or the one that a text says; signed with that key, or else with the present one."""

    def __init__(self, token: str | None = None, *, key: str = "") -> None:
        self._token_backend = backend(key or keys()[0])
        # The library types the argument as a token, and takes the text.
        super().__init__(token)  # type: ignore[arg-type]


class AccessToken(SignedToken):
    """Goes along with each request."""

    token_type = "access"  # noqa: S105 - a kind of token, no secret
    lifetime = settings.ACCESS_TOKEN_LIFETIME


class RefreshToken(SignedToken):
    """Buys the next pair, once."""

    token_type = "refresh"  # noqa: S105 - a kind of token, no secret
    lifetime = settings.REFRESH_TOKEN_LIFETIME


KINDS: dict[str, type[SignedToken]] = {
    str(kind.token_type): kind for kind in (AccessToken, RefreshToken)
}


@dataclass(frozen=True, slots=True)
class Pair:
    """What a login or a refresh gives. expires_in: the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose session, and how often that session had been refreshed."""

    session_id: UUID
    user_id: UUID
    generation: int


def lifetimes() -> tuple[timedelta, timedelta]:
    """How long an access token and a refresh token are good for."""
    return settings.ACCESS_TOKEN_LIFETIME, settings.REFRESH_TOKEN_LIFETIME


def mint(session: Session) -> Pair:
    """The pair of the session's present generation; the same one each time."""
    user = session.user
    access = minted(AccessToken, session, session.issued_at + lifetimes()[0])
    access["role"] = user.role
    access["scopes"] = user.scopes
    refresh = minted(RefreshToken, session, session.expires_at)
    return Pair(str(access), str(refresh), int(lifetimes()[0].total_seconds()))


def minted(kind: type[SignedToken], session: Session, expires_at: datetime) -> Token:
    """A token with the claims that both kinds have."""
    token = kind()
    token.payload.update(
        sub=str(session.user_id),
        sid=str(session.pk),
        gen=session.generation,
        jti=uuid5(session.pk, f"{kind.token_type} {session.generation}").hex,
        iat=int(session.issued_at.timestamp()),
        exp=int(expires_at.timestamp()),
    )
    return token


def read(kind: type[SignedToken], raw: str) -> Claims:
    """The claims of a token of that kind. Raises InvalidToken."""
    if len(raw) > MAX_TOKEN:
        raise InvalidToken
    claims, expires_at = verified(kind.token_type, raw, keys())
    if expires_at <= time.time():
        raise InvalidToken
    return claims


@lru_cache(maxsize=REMEMBERED)
def verified(kind: str, raw: str, keys: tuple[str, ...]) -> tuple[Claims, float]:
    """What a token that one of the keys signed says, and when it expires: the same at any time.

    Raises InvalidToken.
    """
    for key in keys[:-1]:
        with suppress(InvalidToken):
            return signed(kind, raw, key)
    return signed(kind, raw, keys[-1])


def signed(kind: str, raw: str, key: str) -> tuple[Claims, float]:
    """What a token says that this key signed. Raises InvalidToken."""
    try:
        payload: dict[str, Any] = KINDS[kind](raw, key=key).payload
        claims = Claims(UUID(payload["sid"]), UUID(payload["sub"]), int(payload["gen"]))
        return claims, float(payload["exp"])
    except (TokenError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidToken from error
