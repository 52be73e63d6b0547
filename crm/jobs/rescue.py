"""Jobs that nobody works on any more are put again: none waits for ever, none stays in progress.

Their worker was killed, the queue lost its memory, or a process died between saving a job and handing it
over.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone, translation
from redis import Redis

from crm.jobs.failures import Interrupted
from crm.jobs.handing import connect, hand_over, waiting_ids
from crm.jobs.kinds import Kind, kinds
from crm.jobs.running import give_back

log = logging.getLogger(__name__)

# A job that was saved this recently is being handed over right now, or was just taken out of the queue.
GRACE: Final = timedelta(seconds=10)
AT_ONCE: Final = 200


def rescue(redis: Redis | None = None) -> int:
    """Put again what was lost; how many jobs that were. Any number of processes may do this at once.

    Without REDIS_URL the jobs are only freed: the process's own thread finds them. Raises what the database
    and Redis raise when they are away.
    """
    found = [job for kind in kinds() for job in abandoned(kind)]
    if settings.REDIS_URL:
        if redis is None:
            with connect() as own:
                found += put_again(own, found)
        else:
            found += put_again(redis, found)
    for job in found:
        log.warning("%s was put again", job)
    return len(found)


def abandoned(kind: Kind) -> list[Any]:
    """Free the jobs whose worker fell silent, or end them after too many attempts; those to put again."""
    now = timezone.now()
    freed = []
    for job in kind.model.objects.abandoned(now).order_by("pk")[:AT_ONCE]:
        still = kind.model.objects.filter(pk=job.pk, run=job.run).abandoned(now)
        with translation.override(job.language):
            again_in = give_back(still, job.attempts, Interrupted(), at_once=True)
        if again_in is not None:
            freed.append(job)
    return freed


def put_again(redis: Redis, freed: Iterable[Any]) -> list[Any]:
    """Hand over what was freed, and what waits although the queue does not know of it; the latter."""
    for job in freed:
        hand_over(job, redis)
    known = {name: waiting_ids(redis, name) for name in {kind.queue for kind in kinds()}}
    before = timezone.now() - GRACE
    unknown = [
        job
        for kind in kinds()
        for job in kind.model.objects.due(before)
        .filter(updated_at__lt=before)
        .order_by("pk")[:AT_ONCE]
        if str(job.pk) not in known[kind.queue]
    ]
    for job in unknown:
        hand_over(job, redis)
    return unknown
