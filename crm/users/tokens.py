"""The tokens of a session: signed, short, and minted only from what the session row holds.

The same row gives the same pair, so that a refresh whose answer was lost can be answered again, and no
token is ever stored.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from crm.users.models import Session

# Several times the size of ours.
MAX_TOKEN = 4096
# Of how many tokens a process remembers that their signature is right.
REMEMBERED = 4096


class InvalidToken(Exception):
    """Not a token of ours, of another kind, or too old."""


class AccessToken(Token):
    """Goes along with each request."""

    token_type = "access"  # noqa: S105 - a kind of token, no secret
    lifetime = settings.ACCESS_TOKEN_LIFETIME


class RefreshToken(Token):
    """Buys the next pair, once."""

    token_type = "refresh"  # noqa: S105 - a kind of token, no secret
    lifetime = settings.REFRESH_TOKEN_LIFETIME


KINDS: dict[str, type[Token]] = {str(kind.token_type): kind for kind in (AccessToken, RefreshToken)}


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


def minted(kind: type[Token], session: Session, expires_at: datetime) -> Token:
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


def read(kind: type[Token], raw: str) -> Claims:
    """The claims of a token of that kind. Raises InvalidToken."""
    if len(raw) > MAX_TOKEN:
        raise InvalidToken
    claims, expires_at = verified(kind.token_type, raw)
    if expires_at <= time.time():
        raise InvalidToken
    return claims


@lru_cache(maxsize=REMEMBERED)
def verified(kind: str, raw: str) -> tuple[Claims, float]:
    """What a rightly signed token says, and when it expires: the same at any time. Raises InvalidToken."""
    try:
        # The library types its argument as a token, and takes the text.
        payload: dict[str, Any] = KINDS[kind](raw).payload  # type: ignore[arg-type]
        claims = Claims(UUID(payload["sid"]), UUID(payload["sub"]), int(payload["gen"]))
        return claims, float(payload["exp"])
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken from error
