"""How a job is done: claim it, work, and write the outcome, each step by one conditional UPDATE.

Two attempts can both work on a job, when a worker was thought dead and was not. Only one of them can finish
it: the row says whose it is.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation

from crm.api.unexpected import account_of
from crm.changes import originating, report
from crm.jobs.attempts import Attempt
from crm.jobs.failures import Interrupted, Stopped, judged
from crm.jobs.figures import Ending, Outcome, told_of
from crm.jobs.kinds import Kind
from crm.jobs.models import JobQuerySet, JobStatus, most_attempts

log = logging.getLogger(__name__)


def perform(kind: Kind, pk: UUID, *, run: UUID | None = None) -> float | None:
    """Do one job, if it is there to be done, whatever becomes of it.

    run: names this attempt. Returns in how many seconds another attempt is due, None when none is. Raises
    only what the database raises when it is away.
    """
    run = run or uuid4()
    job = claim(kind, pk, run)
    if job is None:
        return waiting_time(kind, pk)
    held = kind.model.objects.filter(pk=pk).held_by(run)
    with translation.override(job.language), originating(job.origin_of_request()):
        attempt = Attempt(kind.model, pk, run)
        with told_of(kind, job, attempt) as ending:
            return attempted(kind, job, held, attempt, ending)


def attempted(
    kind: Kind, job: Any, held: JobQuerySet, attempt: Attempt, ending: Ending
) -> float | None:
    """Do a claimed job, and say how it ended. Returns as `perform` does."""
    made: Mapping[str, Any] | None = None
    try:
        with attempt:
            made = kind.work(job, attempt)
        finish(kind, job, held, attempt, made)
        ending.outcome = Outcome.DONE
    except Exception as error:
        if made is not None:
            discard(kind, job, made)
        if attempt.stopped or isinstance(error, Stopped):
            # Cancelled, or taken over.
            ending.outcome = Outcome.STOPPED
            return None
        again_in = give_back(held, job.attempts, error)
        ending.outcome = Outcome.FAILED if again_in is None else Outcome.RETRIED
        return again_in
    return None


def claim(kind: Kind, pk: UUID, run: UUID) -> Any | None:
    """Make the job this attempt's own; None when it is not there to be had."""
    now = timezone.now()
    rows: JobQuerySet = kind.model.objects.filter(pk=pk, attempts__lt=most_attempts())
    free = rows.due(now) | rows.abandoned(now)
    claimed = free.update(
        status=JobStatus.PROCESSING,
        run=run,
        lease_until=now + timedelta(seconds=settings.JOBS["LEASE_SECONDS"]),
        retry_at=None,
        attempts=F("attempts") + 1,
        progress=0,
        rows_done=0,
        rows_total=None,
        updated_at=now,
    )
    if not claimed:
        return None
    # As its owner is now, not as they were when they asked.
    return kind.model.objects.select_related("owner").get(pk=pk)


def waiting_time(kind: Kind, pk: UUID) -> float | None:
    """In how many seconds a job that could not be claimed is due; None when nobody waits for it."""
    job = kind.model.objects.filter(pk=pk, status=JobStatus.PENDING).first()
    if job is None or job.retry_at is None:
        return None
    return max(0.0, float((job.retry_at - timezone.now()).total_seconds()))


def finish(
    kind: Kind, job: Any, held: JobQuerySet, attempt: Attempt, made: Mapping[str, Any]
) -> None:
    """The job is done: its outcome, and what the trail is told of it. Raises Stopped when it was lost."""
    now = timezone.now()
    values = {
        **made,
        "status": JobStatus.DONE,
        "progress": 100,
        "rows_done": attempt.rows_done,
        "rows_total": attempt.rows_done,
        "error_message": None,
        "lease_until": None,
        "completed_at": now,
        "updated_at": now,
    }
    with transaction.atomic():
        if not held.update(**values):
            raise Stopped
        for name, value in values.items():
            setattr(job, name, value)
        report(kind.told(job), actor=job.owner)


def discard(kind: Kind, job: Any, made: Mapping[str, Any]) -> None:
    """Remove what was made for nothing; what cannot be removed now, the housekeeping finds later."""
    try:
        kind.discard(job, made)
    except Exception as error:
        log.warning("What %s made could not be removed\n%s", job, "\n".join(account_of(error)))


def give_back(
    held: JobQuerySet, attempts: int, error: Exception, *, at_once: bool = False
) -> float | None:
    """Another attempt later, or the end: what becomes of a job whose attempt failed.

    held: the row, on condition that it still is that attempt's. attempts: how many there were. Returns in how
    many seconds the next one is due; None when there is none, or the row was not that attempt's any more.
    """
    verdict = judged(error)
    if not verdict.known:
        log.error("A job failed\n%s", "\n".join(account_of(error)))
    delay: float | None = None
    now = timezone.now()
    ended: datetime | None = now
    if verdict.again and attempts < most_attempts():
        delay = 0 if at_once else settings.JOBS["RETRY_SECONDS"][attempts - 1]
        ended = None
    changed = held.update(
        status=JobStatus.FAILED if delay is None else JobStatus.PENDING,
        error_message=verdict.sentence,
        run=None,
        lease_until=None,
        retry_at=None if delay is None else now + timedelta(seconds=delay),
        completed_at=ended,
        updated_at=now,
    )
    return delay if changed else None


def interrupted(kind: Kind, pk: UUID, *, run: UUID, at_once: bool = False) -> float | None:
    """The process of that attempt is known to be gone; returns as `give_back` does."""
    job = kind.model.objects.filter(pk=pk).held_by(run).first()
    if job is None:
        return None
    with translation.override(job.language):
        return give_back(
            kind.model.objects.filter(pk=pk).held_by(run),
            job.attempts,
            Interrupted(),
            at_once=at_once,
        )


def cancel(job: Any) -> bool:
    """End a job for good, whoever works on it; False when it had ended already."""
    now = timezone.now()
    rows = type(job).objects.filter(pk=job.pk).active()
    cancelled = rows.update(
        status=JobStatus.CANCELLED,
        run=None,
        lease_until=None,
        retry_at=None,
        completed_at=now,
        updated_at=now,
    )
    job.refresh_from_db()
    return bool(cancelled)
