"""Where counts are kept: in Redis for all processes together, or else in this process alone.

Counting touches no database and no network: it adds up in memory. At the end of each request what has come
together goes to Redis in one round trip. While Redis is away it waits here, and nothing else does: a count is
no reason to fail a request, or to slow it down.
"""

import logging
import time
from collections import Counter
from functools import cache
from threading import Lock
from typing import Any, Final

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

KEY: Final = "crm:figures"
TIMEOUT_SECONDS: Final = 0.5
# How long nobody asks a Redis that did not answer.
PAUSE_SECONDS: Final = 5.0

Number = int | float

_lock = Lock()
_pending: Counter[str] = Counter()
_paused_until = 0.0


def shared() -> bool:
    """Whether all processes count together."""
    return bool(settings.REDIS_URL)


def add(field: str, number: Number = 1) -> None:
    """Count under a field."""
    with _lock:
        # Counters of the standard library hold any number.
        _pending[field] += number  # type: ignore[assignment]


def hand_over(**_signal: Any) -> None:
    """Give Redis what has been counted here. Never raises, and does nothing without Redis.

    Connected to the end of requests; work outside of requests calls it when it is done. When only the answer
    is lost, what it was about is given again: a count may be a little high after that.
    """
    global _paused_until  # noqa: PLW0603 - one state for the whole process, like the counts
    if not _pending or not shared() or time.monotonic() < _paused_until:
        return
    with _lock:
        news = dict(_pending)
        _pending.clear()
    try:
        with client(settings.REDIS_URL).pipeline() as pipeline:
            for field, number in news.items():
                if isinstance(number, float):
                    pipeline.hincrbyfloat(KEY, field, number)
                else:
                    pipeline.hincrby(KEY, field, number)
            pipeline.execute()
    except (RedisError, OSError) as error:
        _paused_until = time.monotonic() + PAUSE_SECONDS
        with _lock:
            _pending.update(news)
        log.warning("Redis is away (%s): counts wait in this process", type(error).__name__)


def totals() -> dict[str, Number] | None:
    """Field → count so far; None when Redis, which knows, does not answer."""
    if not shared():
        with _lock:
            return dict(_pending)
    hand_over()
    try:
        stored: Any = client(settings.REDIS_URL).hgetall(KEY)
    except (RedisError, OSError):
        return None
    return {name.decode(): number_of(value) for name, value in stored.items()}


def forget() -> None:
    """Begin at nothing, in this process."""
    global _paused_until  # noqa: PLW0603
    with _lock:
        _pending.clear()
    _paused_until = 0.0


def number_of(text: bytes) -> Number:
    """A number as Redis keeps it."""
    return int(text) if text.lstrip(b"-").isdigit() else float(text)


@cache
def client(url: str) -> "Redis":
    """This process's connections to Redis, made when first needed."""
    return Redis.from_url(
        url,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        # By itself the client tries for seconds.
        retry=Retry(NoBackoff(), 0),
    )
