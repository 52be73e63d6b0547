"""What Redis is told of a job, and what it still knows: the queue holds ids, the database the jobs."""

from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job as QueuedJob
from rq.job import Retry

from crm.jobs.kinds import kind_of
from crm.jobs.models import Job

TIMEOUT_SECONDS: Final = 2
# What workers call, as the queue stores it.
RUN: Final = "crm.jobs.queue.run"
# How long Redis remembers what became of its part, for whoever looks at the queue.
RESULT_SECONDS: Final = 300
FAILURE_SECONDS: Final = 24 * 60 * 60


def connect() -> Redis:
    """A connection that gives up soon: a request waits for it. Close it."""
    return Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
    )


def hand_over(job: Job, redis: Redis) -> None:
    """Put the job into its queue, instead of what the queue may still know of it."""
    label = job._meta.label
    kind = kind_of(label)
    with suppress(NoSuchJobError):
        QueuedJob.fetch(str(job.pk), connection=redis).delete()
    remaining = settings.JOBS["RETRY_SECONDS"][job.attempts :]
    Queue(kind.queue, connection=redis).enqueue_call(
        RUN,
        args=(label, str(job.pk)),
        job_id=str(job.pk),
        description=f"{label} {job.pk}",
        timeout=settings.JOBS["TIMEOUT_SECONDS"],
        # For attempts whose process is killed; others say themselves when they want another.
        retry=Retry(max=len(remaining), interval=remaining) if remaining else None,
        result_ttl=RESULT_SECONDS,
        failure_ttl=FAILURE_SECONDS,
    )


def waiting_ids(redis: Redis, name: str) -> set[str]:
    """The jobs that a queue will hand out by itself, now or later."""
    queue: Any = Queue(name, connection=redis)
    return {*queue.job_ids, *queue.scheduled_job_registry.get_job_ids()}
