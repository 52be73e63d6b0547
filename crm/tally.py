"""Where counts are kept: in Redis for all processes together, or else in this process alone.

Counting touches no database and no network: it adds up in memory. Once a second a thread gives Redis what has
come together, in one round trip; no request waits for it. While Redis is away the counts wait here, and
nothing else does: a count is no reason to fail a request, or to slow it down. What a process that is killed
had counted in its last second is lost.
"""

import atexit
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from functools import cache
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
# How old a count may be before Redis has it.
EVERY_SECONDS: Final = 1.0

Number = int | float

# Both may be taken again by their own thread: Python's collector can end an abandoned answer anywhere, in
# here too, and that counts what it had told.
_lock = threading.RLock()
# Held from taking the counts until Redis has them: who looks at the sums in between would miss some.
_handing = threading.RLock()
_pending: Counter[str] = Counter()
_paused_until = 0.0
_news = threading.Event()
_thread: threading.Thread | None = None


def shared() -> bool:
    """Whether all processes count together."""
    return bool(settings.REDIS_URL)


def add(field: str, number: Number = 1) -> None:
    """Count under a field."""
    add_all(((field, number),))


def add_all(counts: Iterable[tuple[str, Number]]) -> None:
    """Count under several fields at once."""
    with _lock:
        for field, number in counts:
            # Counters of the standard library hold any number.
            _pending[field] += number  # type: ignore[assignment]


def hand_over_soon(**_signal: Any) -> None:
    """Have Redis given what has been counted here, within a second. Connected to the end of requests."""
    if not _pending or _news.is_set() or not shared():
        return
    _news.set()
    if _thread is None or not _thread.is_alive():
        _start()


def _start() -> None:
    global _thread  # noqa: PLW0603 - one thread for each process is the point
    with _lock:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_keep_handing_over, name="figures", daemon=True)
            _thread.start()


def _keep_handing_over() -> None:
    while _news.wait():
        time.sleep(EVERY_SECONDS)
        _news.clear()
        hand_over()


def hand_over(*, aloud: bool = True) -> None:
    """Give Redis what has been counted here. Never raises, and does nothing without Redis.

    aloud: log when Redis is away. Work outside of requests calls it when it is done. When only the answer is
    lost, what it was about is given again: a count may be a little high after that.
    """
    global _paused_until  # noqa: PLW0603 - one state for the whole process, like the counts
    if not _pending or not shared() or time.monotonic() < _paused_until:
        return
    with _handing:
        with _lock:
            news = dict(_pending)
            _pending.clear()
        try:
            with client(settings.REDIS_URL).pipeline(transaction=True) as pipeline:
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
            if aloud:
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
    with _handing, _lock:
        _pending.clear()
    _paused_until = 0.0


def _in_a_fork() -> None:
    """What the parent counted, the parent hands over; its thread and its locks are not here."""
    global _lock, _handing, _news, _thread
    _lock, _handing, _news, _thread = threading.RLock(), threading.RLock(), threading.Event(), None
    _pending.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_in_a_fork)
# Where a log would go may be closed by then.
atexit.register(hand_over, aloud=False)


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
