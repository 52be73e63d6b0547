"""How often a login may fail, so that nobody guesses passwords, and nobody locks somebody else out.

Failures are counted for a minute: of one account from one address, of an address whatever the account, and
of an account from all places together that it was never used from. The last one stops a guesser with a
thousand addresses; it would also be a way to shut somebody out, so it does not hold for whoever comes from
where the account has logged in before. A device that it has logged in on is counted by itself alone: who
guesses in the same office, or behind the same mobile network, cannot use that up either.

Only failures count. An attempt takes its place before the password is looked at, and a success gives it
back: a hundred guesses sent at once do not slip through between counting and recording.

Counted in Redis, or in the database where there is none or it is away. Keys are keyed hashes: neither
place holds e-mail addresses, and what is counted for an account says nothing of whether there is one.
"""

import ipaddress
import logging
import math
import time
from collections.abc import Callable, Iterator
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

from crm.changes import current_origin
from crm.errors import RateLimited, Unauthorized
from crm.users.models import KnownPlace, LoginFailure, Session, normalise_email

log = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 60
# How long a place is remembered after the last login there.
KNOWN_FOR: Final = timedelta(days=60)
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


@dataclass(frozen=True, slots=True)
class Caller:
    """Who tries to log in: from which address, as which account, on which device ('' unknown)."""

    address: str | None
    account: str
    device: str = ""

    @property
    def pair(self) -> str:
        """The key of the account at that address."""
        return hashed(f"{network_of(self.address)} {normalise_email(self.account)}")

    @property
    def on_device(self) -> str:
        """The key of the account on that device; '' for a nameless one."""
        name = f"{self.device} {normalise_email(self.account)}"
        return hashed(f"device {name}") if self.device else ""

    @property
    def known(self) -> set[str]:
        """Which of the two keys the account has logged in by before: one query, whoever asks."""
        rows = KnownPlace.objects.filter(
            pk__in=[self.pair, self.on_device], seen_at__gt=timezone.now() - KNOWN_FOR
        )
        return set(rows.values_list("pk", flat=True))

    def limits(self) -> list[Limit]:
        """What the attempt counts against."""
        most, known = settings.RATE_LIMITS, self.known
        if self.on_device in known:
            return [Limit(self.on_device, most["LOGIN_ACCOUNT"])]
        own = Limit(self.pair, most["LOGIN_ACCOUNT"])
        if self.pair in known:
            return [own]
        return [
            own,
            Limit(hashed(network_of(self.address)), most["LOGIN_ADDRESS"]),
            Limit(hashed(f"account {normalise_email(self.account)}"), most["LOGIN_STRANGERS"]),
        ]

    def remember(self) -> None:
        """The account has logged in from here: next time it is known. Inside the caller's transaction."""
        now = timezone.now()
        KnownPlace.objects.filter(seen_at__lt=now - KNOWN_FOR).delete()
        KnownPlace.objects.bulk_create(
            [
                KnownPlace(key=key, seen_at=now)
                for key in sorted({self.pair, self.on_device} - {""})
            ],
            update_conflicts=True,
            update_fields=["seen_at"],
            unique_fields=["key"],
        )


def caller(account: str) -> Caller:
    """Who makes the request at hand, as that account."""
    origin = current_origin()
    return Caller(origin.ip_address, account, origin.device)


def network_of(address: str | None) -> str:
    """The address, or for IPv6 its network."""
    if address and ":" in address:
        return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False))
    return address or "-"


def of_session(session: Session) -> list[Limit]:
    """What a wrong old password counts against: nobody but the session's owner gets that far."""
    return [Limit(hashed(f"session {session.pk}"), settings.RATE_LIMITS["LOGIN_ACCOUNT"])]


def hashed(text: str) -> str:
    """A key that tells nothing of the text."""
    return salted_hmac("crm.login-limits", text, algorithm="sha256").hexdigest()


@contextmanager
def attempt(limits: Callable[[], list[Limit]]) -> Iterator[None]:
    """One login, against those limits. When the block raises Unauthorized, the attempt was a failure.

    Raises RateLimited, with the seconds until the oldest counted failure is a minute old.
    """
    if not settings.RATE_LIMIT_ENABLED:
        yield
        return
    place = take_place(limits())
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
