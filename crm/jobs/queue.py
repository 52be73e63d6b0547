"""How a job gets to somebody who does it: through Redis to a worker, or to this process's own thread."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from redis.exceptions import RedisError
from rq.job import Retry

from crm.api.unexpected import account_of
from crm.errors import Unavailable
from crm.jobs import inprocess
from crm.jobs.handing import connect, hand_over
from crm.jobs.kinds import kind_of
from crm.jobs.models import Job, JobStatus
from crm.jobs.running import perform

log = logging.getLogger(__name__)

# RQ counts the attempts that it makes by itself; the row decides how many there are.
NO_LIMIT: Final = 1000
AGAIN_SECONDS: Final = 30

# The execution at hand, in a worker: it names the attempt, so that the worker can tell whose end it saw.
_execution: ContextVar[UUID | None] = ContextVar("execution", default=None)


def put(job: Job) -> None:
    """Save a new job and hand it to whoever does it. Not inside a transaction: it may be taken at once.

    Raises Unavailable when the queue is away; the job does not exist then. Raises IntegrityError as any
    insert does.
    """
    job.language = job.language or get_language() or settings.LANGUAGE_CODE
    if not job.origin:
        job.remember_origin()
    if not settings.REDIS_URL:
        insert(job)
        transaction.on_commit(inprocess.wake)
        return
    try:
        with connect() as redis:
            redis.ping()
            insert(job)
            try:
                hand_over(job, redis)
            except (RedisError, OSError):
                take_back(job)
                raise
    except (RedisError, OSError) as error:
        raise Unavailable(
            _("The queue for background jobs does not answer. Try again in a minute.")
        ) from error


def insert(job: Job) -> None:
    """The new row; a refusal of the database leaves a surrounding transaction usable."""
    with transaction.atomic():
        job.save(force_insert=True)


def take_back(job: Job) -> None:
    """The job was never handed over: as if it had not been asked for."""
    type(job).objects.filter(pk=job.pk, status=JobStatus.PENDING, attempts=0).delete()


@contextmanager
def executing(execution: UUID) -> Iterator[None]:
    """What runs in the block is that execution of a worker."""
    token = _execution.set(execution)
    try:
        yield
    finally:
        _execution.reset(token)


def run(label: str, pk: str) -> Retry | None:
    """What a worker does with a job from the queue. A Retry asks RQ for another attempt."""
    try:
        again_in = perform(kind_of(label), UUID(pk), run=_execution.get())
    except (DatabaseError, InterfaceError) as error:
        # An exception would be logged with the database's message, which may quote anybody's data.
        log.error("The database is away\n%s", "\n".join(account_of(error)))
        again_in = AGAIN_SECONDS
    return None if again_in is None else Retry(max=NO_LIMIT, interval=math.ceil(again_in))
