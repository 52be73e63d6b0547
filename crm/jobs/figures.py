"""What is told of background jobs: how many wait and for how long, how attempts end and what they take."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm import tally
from crm.changes import current_origin
from crm.figures import Gauge, Histogram
from crm.jobs.kinds import Kind, kinds
from crm.jobs.models import ACTIVE
from crm.logs import facts_of
from crm.statements import sent

if TYPE_CHECKING:
    from crm.jobs.attempts import Attempt

log = logging.getLogger("crm.jobs")

NOT_COUNTED: Final[Mapping[str, None]] = {f"jobs_{status.value}": None for status in ACTIVE}


class Outcome(StrEnum):
    """How an attempt ended: retried means that another one follows."""

    DONE = "done"
    RETRIED = "retried"
    FAILED = "failed"
    STOPPED = "stopped"
    # The database went away, say: the lease runs out, and another worker takes it.
    LOST = "lost"


@dataclass(slots=True)
class Ending:
    """How an attempt ended, as soon as that is known."""

    outcome: Outcome = Outcome.LOST


def oldest() -> dict[str, float]:
    """Kind → for how many seconds its oldest job has been due; 0 when none waits."""
    now = timezone.now()
    found = {}
    for kind in kinds():
        due = kind.model.objects.due(now)
        since = due.aggregate(since=Min(Coalesce("retry_at", "created_at")))["since"]
        found[kind.label] = 0.0 if since is None else max(0.0, (now - since).total_seconds())
    return found


def waiting() -> dict[str, int]:
    """Kind → jobs that wait, those included whose next attempt is not due yet."""
    return {kind.label: kind.model.objects.filter(status=ACTIVE[0]).count() for kind in kinds()}


SECONDS = Histogram(
    "crm_job_seconds",
    "What attempts at background jobs took, by kind (reports.ReportJob is an export) and how they ended.",
    (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
    kind=(),
    outcome=(),
)
WAITING = Gauge("crm_jobs_waiting", "Background jobs that wait, by kind.", waiting, label="kind")
OLDEST = Gauge(
    "crm_jobs_oldest_seconds",
    "For how long the oldest background job has been due that nobody has begun, by kind.",
    oldest,
    label="kind",
)


def counts() -> dict[str, int]:
    """Jobs that wait, and jobs that are being worked on."""
    return {
        f"jobs_{status.value}": sum(
            kind.model.objects.filter(status=status).count() for kind in kinds()
        )
        for status in ACTIVE
    }


@contextmanager
def told_of(kind: Kind, job: Any, attempt: "Attempt") -> Iterator[Ending]:
    """Write a line about the attempt and count it, however it ends. The block says how it did."""
    ending = Ending()
    began, asked = time.perf_counter(), sent()
    try:
        yield ending
    finally:
        seconds = time.perf_counter() - began
        SECONDS.observe(seconds, kind=kind.label, outcome=ending.outcome)
        facts = {
            "job": str(job.pk),
            "kind": kind.label,
            "attempt": job.attempts,
            "outcome": str(ending.outcome),
            "duration_ms": round(seconds * 1000, 1),
            "rows": attempt.rows_done,
            "queries": sent() - asked,
            **facts_of(current_origin()),
        }
        log.info("%s %s", kind.label, ending.outcome, extra={"facts": facts})
        # The process of this job may end with it.
        tally.hand_over()
