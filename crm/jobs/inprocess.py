"""Without Redis: one thread of the web process does the jobs, one at a time.

It takes them from the database, so that several processes never do the same one, and that a job survives a
restart: whoever starts next finds it.
"""

import logging
import threading
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from crm.api.unexpected import account_of
from crm.jobs import chores
from crm.jobs.kinds import Kind, kinds
from crm.jobs.models import ACTIVE, JobStatus
from crm.jobs.rescue import rescue
from crm.jobs.running import perform

log = logging.getLogger(__name__)

# The thread looks at least this often: another process may have died with a job in its hands.
LOOK_SECONDS: Final = 30.0

_lock = threading.Lock()
_something_new = threading.Event()
_thread: threading.Thread | None = None


def wake() -> None:
    """There may be something to do. Starts the thread, when there is none."""
    global _thread  # noqa: PLW0603 - one thread for each process is the point
    if settings.REDIS_URL:
        return
    with _lock:
        _something_new.set()
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_work, name="background jobs", daemon=True)
            _thread.start()


def _work() -> None:
    while True:
        _something_new.clear()
        try:
            wait = do_everything_due()
        except (DatabaseError, InterfaceError) as error:
            log.error("Background jobs: the database is away\n%s", "\n".join(account_of(error)))
            wait = LOOK_SECONDS
        finally:
            connections.close_all()
        with _lock:
            if wait is None and not _something_new.is_set():
                global _thread  # noqa: PLW0603
                _thread = None
                return
        _something_new.wait(wait)


def do_everything_due() -> float | None:
    """Do every job whose time has come, the oldest first, and what is due of the regular chores.

    Returns after how many seconds to look again; None when no job waits or is being worked on.
    """
    while True:
        rescue()
        due = oldest_due()
        if due is None:
            break
        kind, job = due
        perform(kind, job.pk)
        chores.do_due()
    chores.do_due()
    return seconds_until_next()


def oldest_due() -> tuple[Kind, Any] | None:
    """The job that has waited longest."""
    now = timezone.now()
    first = [
        (kind, job)
        for kind in kinds()
        for job in kind.model.objects.due(now).order_by("created_at", "pk")[:1]
    ]
    return min(first, key=lambda pair: pair[1].created_at, default=None)


def seconds_until_next() -> float | None:
    """When to look again; None when there is nothing left that could become due."""
    active = [job for kind in kinds() for job in kind.model.objects.filter(status__in=ACTIVE)]
    if not active:
        return None
    now = timezone.now()
    waits = [
        (job.retry_at - now).total_seconds()
        for job in active
        if job.status == JobStatus.PENDING and job.retry_at is not None
    ]
    return max(0.0, float(min([*waits, LOOK_SECONDS])))
