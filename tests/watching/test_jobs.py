"""Background jobs: a line for each attempt, how long they took, how long the oldest one waits."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from crm.errors import Invalid
from crm.jobs.models import JobStatus
from crm.jobs.running import cancel, perform
from reports.models import ReportJob
from tests.cast import Cast
from tests.jobs.conftest import job_of, work_is  # noqa: F401 - fixtures
from tests.watching.listening import listening

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Any]
KIND = "reports.ReportJob"


def figures() -> dict[str, Any]:
    """The figures, as /metrics tells them."""
    told: dict[str, Any] = Client().get("/metrics").json()["figures"]
    return told


def works(_job: Any, attempt: Any) -> dict[str, Any]:
    ReportJob.objects.count()
    attempt.progress(7)
    return {}


def fails(_job: Any, _attempt: Any) -> dict[str, Any]:
    raise Invalid({"phone": "+79161234567"})


def breaks(_job: Any, _attempt: Any) -> dict[str, Any]:
    raise OSError("Мария Петрова, +79161234567")


def is_called_off(job: Any, attempt: Any) -> dict[str, Any]:
    cancel(ReportJob.objects.get(pk=job.pk))
    attempt.stopped = True
    attempt.progress(1)
    return {}


@pytest.mark.parametrize(
    ("work", "outcome"),
    [(works, "done"), (fails, "failed"), (breaks, "retried"), (is_called_off, "stopped")],
)
def test_an_attempt_is_a_line_and_a_figure(  # noqa: PLR0917 - fixtures
    cast: Cast,
    settings: LazySettings,
    work_is: Make,  # noqa: F811
    job_of: Make,  # noqa: F811
    work: Make,
    outcome: str,
) -> None:
    settings.REDIS_URL = ""
    origin = {"request_id": "r-7", "ip_address": "203.0.113.9", "user_agent": "walker"}
    job = job_of(origin=origin)
    with listening() as log:
        perform(work_is(work), job.pk)
    (line,) = log.of("crm.jobs")
    assert line.pop("duration_ms") > 0
    assert line.pop("queries") > 0
    assert line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "crm.jobs",
        "message": f"{KIND} {outcome}",
        "job": str(job.pk),
        "kind": KIND,
        "attempt": 1,
        "outcome": outcome,
        "rows": {"done": 7, "stopped": 1}.get(outcome, 0),
        "request_id": "r-7",
        "user_id": str(cast.sergei.pk),
        "role": "SUPERVISOR",
    }
    for text in log.json:
        # However the number is written. Three digits alone also stand in ids and moments, by chance.
        assert "916123" not in re.sub(r"\D", "", text)
        assert "Мария" not in text
    assert figures()["crm_job_seconds_count"] == [{"kind": KIND, "outcome": outcome, "value": 1}]


def test_an_attempt_that_nobody_could_end(
    settings: LazySettings,
    work_is: Make,  # noqa: F811
    job_of: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.REDIS_URL = ""

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("crm.jobs.running.finish", away)
    monkeypatch.setattr("crm.jobs.running.give_back", away)
    kind, job = work_is(works), job_of()
    with listening() as log, pytest.raises(OperationalError):
        perform(kind, job.pk)
    assert [line["outcome"] for line in log.of("crm.jobs")] == ["lost"]


@pytest.mark.redis
def test_a_workers_process_hands_its_counts_over_at_once(
    redis_url: str,
    work_is: Make,  # noqa: F811
    job_of: Make,  # noqa: F811
) -> None:
    """The horse ends with its job: nobody would hand them over later."""
    from redis import Redis

    from crm import tally

    job = job_of()
    perform(work_is(works), job.pk)
    stored: Any = Redis.from_url(redis_url).hgetall(tally.KEY)
    assert any(b"crm_job_seconds" in field for field in stored)


def of_reports(name: str) -> Any:
    return next(each["value"] for each in figures()[name] if each["kind"] == KIND)


def test_how_long_the_oldest_has_waited(job_of: Make) -> None:  # noqa: F811
    now = timezone.now()

    def waiting() -> tuple[int, int]:
        return of_reports("crm_jobs_waiting"), round(of_reports("crm_jobs_oldest_seconds"))

    assert waiting() == (0, 0)
    # Not due yet: it waits, but nobody is late.
    job_of(retry_at=now + timedelta(minutes=4), created_at=now - timedelta(hours=1))
    assert waiting() == (1, 0)
    again = job_of(retry_at=now - timedelta(seconds=90))
    count, seconds = waiting()
    assert count == 2
    assert 90 <= seconds < 120
    first = job_of()
    ReportJob.objects.filter(pk=first.pk).update(created_at=now - timedelta(seconds=600))
    assert 600 <= waiting()[1] < 630
    ReportJob.objects.filter(pk__in=[first.pk, again.pk]).update(status=JobStatus.PROCESSING)
    assert waiting() == (1, 0)
