"""How often a login may fail: a few times a minute for one account from one address, more for the address.

Only failures count. An attempt takes its place before the password is looked at, and a success gives it
back: a hundred guesses sent at once do not slip through between counting and recording. An address and an
account are limited together, so that nobody can lock somebody else out from afar.

Counted in Redis, or in the database where there is none or it is away. Keys are keyed hashes: neither
place holds e-mail addresses.
"""

import ipaddress
import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import uuid4

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from crm.errors import RateLimited, Unauthorized
from crm.users.models import LoginFailure, normalise_email

log = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 60
# A whole subscriber line of IPv6 (RFC 6177): otherwise one person has 2**64 addresses to guess from.
IPV6_PREFIX: Final = 64


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` failures a minute under one key."""

    key: str
    most: int


class Place(Protocol):
    """An attempt that was let through, so far counted as a failure."""

    def give_back(self) -> None:
        """The attempt did not fail."""


def limits_of(address: str | None, account: str) -> list[Limit]:
    """What a login from that address to that account counts against."""
    network = network_of(address)
    return [
        Limit(
            hashed(f"{network} {normalise_email(account)}"), settings.RATE_LIMITS["LOGIN_ACCOUNT"]
        ),
        Limit(hashed(network), settings.RATE_LIMITS["LOGIN_ADDRESS"]),
    ]


def network_of(address: str | None) -> str:
    """The address, or for IPv6 its network."""
    if address and ":" in address:
        return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False))
    return address or "-"


def hashed(text: str) -> str:
    """A key that tells nothing of the text."""
    return salted_hmac("crm.login-limits", text, algorithm="sha256").hexdigest()


@contextmanager
def attempt(address: str | None, account: str) -> Iterator[None]:
    """One login. When the block raises Unauthorized, the attempt was a failure.

    Raises RateLimited, with the seconds until the oldest counted failure is a minute old.
    """
    if not settings.RATE_LIMIT_ENABLED:
        yield
        return
    place = take_place(limits_of(address, account))
    try:
        yield
    except Unauthorized:
        raise
    except BaseException:
        # The database went away, say: nobody's guess.
        place.give_back()
        raise
    place.give_back()


def take_place(limits: list[Limit]) -> Place:
    """Count the attempt as a failure for now. Raises RateLimited."""
    if settings.REDIS_URL:
        try:
            return RedisPlace.take(limits)
        except RedisError as error:
            log.warning(
                "Redis is away (%s): logins are counted in the database", type(error).__name__
            )
    return TablePlace.take(limits)


def refused(seconds: float) -> RateLimited:
    """The refusal, with the wait."""
    return RateLimited(
        math.ceil(seconds), _("Too many failed logins. Wait a minute, then try again.")
    )


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """A member of sorted sets by time: a window that slides."""

    keys: list[str]
    member: str

    @classmethod
    def take(cls, limits: list[Limit]) -> "RedisPlace":
        place = cls([f"crm:login:{limit.key}" for limit in limits], uuid4().hex)
        now = time.time()
        with connection().pipeline() as pipe:
            for key in place.keys:
                pipe.zremrangebyscore(key, "-inf", now - WINDOW_SECONDS)
                pipe.zadd(key, {place.member: now})
                pipe.expire(key, WINDOW_SECONDS)
                pipe.zcard(key)
                pipe.zrange(key, 0, 0, withscores=True)
            answers = pipe.execute()
        waits = [
            oldest[0][1] + WINDOW_SECONDS - now
            for limit, count, oldest in zip(limits, answers[3::5], answers[4::5], strict=True)
            if count > limit.most
        ]
        if waits:
            # What was refused is no guess: counting it would let a patient client wait for ever.
            place.give_back()
            raise refused(max(waits))
        return place

    def give_back(self) -> None:
        try:
            with connection().pipeline() as pipe:
                for key in self.keys:
                    pipe.zrem(key, self.member)
                pipe.execute()
        except RedisError as error:
            log.warning("Redis is away (%s)", type(error).__name__)


def connection() -> Any:
    """The Redis connection that the cache uses, with its time limits."""
    return get_redis_connection("default")


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Rows of LoginFailure. Written outside of a transaction: what rolls back would not be counted."""

    rows: list[int]

    @classmethod
    def take(cls, limits: list[Limit]) -> "TablePlace":
        now = timezone.now()
        since = now - timedelta(seconds=WINDOW_SECONDS)
        LoginFailure.objects.filter(occurred_at__lte=since).delete()
        rows = LoginFailure.objects.bulk_create(
            [LoginFailure(key=limit.key, occurred_at=now) for limit in limits]
        )
        place = cls([row.pk for row in rows])
        counted = LoginFailure.objects.filter(
            key__in=[limit.key for limit in limits], occurred_at__gt=since
        )
        found = list(counted.values_list("key", "occurred_at"))
        waits = []
        for limit in limits:
            times = [moment for key, moment in found if key == limit.key]
            if len(times) > limit.most:
                waits.append((min(times) - since).total_seconds())
        if waits:
            place.give_back()
            raise refused(max(waits))
        return place

    def give_back(self) -> None:
        LoginFailure.objects.filter(pk__in=self.rows).delete()
