"""What must be done now and then without anybody asking: files that expired, for one.

Workers put each chore into the queue when it is due, by a key in Redis that lives as long as the chore may
wait. Without Redis the process that does the jobs does them. Each chore is a command too, for a schedule of
one's own.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from redis import Redis
from rq import Queue

from crm.api.unexpected import account_of

log = logging.getLogger(__name__)

RUN: Final = "crm.jobs.chores.run"
QUEUE: Final = "default"


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done every so often. Doing it twice must do no harm."""

    name: str
    every: timedelta
    work: Callable[[], object]


_chores: Final[dict[str, Chore]] = {}
_done_at: Final[dict[str, float]] = {}


def register(chore: Chore) -> None:
    """Make a chore known. Call it from an app's `ready`."""
    _chores[chore.name] = chore


def put_due(redis: Redis) -> list[str]:
    """Put the chores that are due into the queue; their names. Of any number of workers only one does."""
    due = [
        chore.name
        for chore in _chores.values()
        if redis.set(f"crm:chore:{chore.name}", "due", nx=True, ex=chore.every)
    ]
    for name in due:
        Queue(QUEUE, connection=redis).enqueue_call(
            RUN, args=(name,), description=f"chore {name}", result_ttl=0
        )
    return due


def do_due() -> None:
    """Do the chores that are due in this process."""
    for chore in _chores.values():
        last = _done_at.get(chore.name)
        if last is None or time.monotonic() - last >= chore.every.total_seconds():
            _done_at[chore.name] = time.monotonic()
            run(chore.name)


def run(name: str) -> None:
    """Do one chore. What goes wrong is logged; there is a next time."""
    try:
        _chores[name].work()
    except Exception as error:
        log.error("The chore %s failed\n%s", name, "\n".join(account_of(error)))
