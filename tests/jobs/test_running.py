"""One attempt at a job: claimed once, finished once, and what becomes of it when it fails."""

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone, translation

from audit.models import AuditEntry
from crm.changes import Action, Change, current_origin
from crm.errors import Invalid
from crm.jobs import running
from crm.jobs.failures import Failure
from crm.jobs.models import JobStatus
from crm.jobs.rescue import abandoned
from crm.jobs.running import cancel, interrupted, perform
from reports.models import ReportJob

pytestmark = pytest.mark.django_db(transaction=True)

Made = Callable[..., Any]


class Listener(logging.Handler):
    """Hears every line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[list[str]]:
        """The lines that are logged in the block."""
        listener = cls()
        logging.getLogger().addHandler(listener)
        try:
            yield listener.lines
        finally:
            logging.getLogger().removeHandler(listener)


def nothing(_job: Any, _attempt: Any) -> dict[str, Any]:
    return {}


def test_a_job_is_done_in_its_owners_name(work_is: Made, job_of: Made) -> None:
    seen: dict[str, Any] = {}

    def work(job: ReportJob, attempt: Any) -> dict[str, Any]:
        origin = current_origin()
        seen.update(
            owner=job.owner.full_name, language=translation.get_language(), actor=origin.actor.pk,
            request=origin.request_id, status=ReportJob.objects.get().status,
        )  # fmt: skip
        attempt.expect(4)
        attempt.progress(4)
        return {"file_path": "x", "file_size": 9}

    origin = {"request_id": "r-1", "ip_address": "203.0.113.9", "user_agent": "walker"}
    job = job_of(language="ru", origin=origin)

    def told(done: ReportJob) -> list[Change]:
        assert done.file_size == 9
        return [Change(Action.EXPORT, "report", done.pk, after={"rows": done.rows_done})]

    assert perform(work_is(work, told=told), job.pk) is None
    assert seen == {
        "owner": "Сергей Московский", "language": "ru", "actor": job.owner_id, "request": "r-1",
        "status": "processing",
    }  # fmt: skip
    job.refresh_from_db()
    assert (job.status, job.progress, job.rows_done, job.rows_total) == ("done", 100, 4, 4)
    assert (job.file_size, job.attempts, job.lease_until) == (9, 1, None)
    assert job.completed_at is not None
    entry = AuditEntry.objects.get(action="export")
    assert (entry.actor_id, entry.cid, entry.remote_addr) == (job.owner_id, "r-1", "203.0.113.9")
    assert entry.after == {"rows": 4}


def test_the_trail_and_the_outcome_are_one(work_is: Made, job_of: Made) -> None:
    """A listener that fails takes the outcome with it."""
    gone = []

    def told(_job: ReportJob) -> list[Change]:
        raise RuntimeError

    kind = work_is(
        lambda _j, _a: {"file_path": "made"}, told=told, discard=lambda _j, made: gone.append(made)
    )
    job = job_of()
    assert perform(kind, job.pk) == 60
    job.refresh_from_db()
    assert (job.status, job.file_path, gone) == ("pending", None, [{"file_path": "made"}])


def test_two_at_once_do_it_once(
    work_is: Made, job_of: Made, run_together: Callable[..., list[Any]]
) -> None:
    done = []

    def work(job: ReportJob, _attempt: Any) -> dict[str, Any]:
        done.append(job.run)
        time.sleep(0.3)
        return {}

    kind, job = work_is(work), job_of()
    assert run_together(*[lambda: perform(kind, job.pk)] * 4) == [None] * 4
    assert len(done) == 1
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("done", 1)


def test_progress_is_seen_while_the_work_reads(work_is: Made, job_of: Made) -> None:
    job = job_of()
    seen: list[Any] = []

    def work(_job: ReportJob, attempt: Any) -> dict[str, Any]:
        attempt.expect(200)
        attempt.progress(50)
        until = time.monotonic() + 5
        while time.monotonic() < until and not seen:
            time.sleep(0.05)
            found = ReportJob.objects.get()
            if found.rows_done:
                seen.append((found.progress, found.rows_total, found.lease_until > timezone.now()))
        return {}

    perform(work_is(work), job.pk)
    assert seen == [(25, 200, True)]


def test_cancelled_in_the_middle(work_is: Made, job_of: Made) -> None:
    job, noticed = job_of(), []

    def work(_job: ReportJob, attempt: Any) -> dict[str, Any]:
        assert cancel(job)
        start = time.monotonic()
        try:
            while time.monotonic() < start + 5:
                attempt.progress(1)
                time.sleep(0.01)
        finally:
            noticed.append(time.monotonic() - start)
        return {}

    assert perform(work_is(work), job.pk) is None
    job.refresh_from_db()
    assert (job.status, job.error_message, job.attempts) == ("cancelled", None, 1)
    assert noticed[0] < 1
    assert not cancel(job)


SLOW = {
    "postgresql": "SELECT pg_sleep(20)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 150000000)"
    " SELECT count(*) FROM n",
}


def test_cancelled_in_the_middle_of_a_long_statement(
    work_is: Made, job_of: Made, engine: str
) -> None:
    """The work waits for its first row and cannot look: the statement is stopped."""
    job = job_of()

    def work(_job: ReportJob, _attempt: Any) -> dict[str, Any]:
        cancel(job)
        with connection.cursor() as cursor:
            cursor.execute(SLOW[engine])
        return {}

    start = time.monotonic()
    assert perform(work_is(work), job.pk) is None
    assert time.monotonic() - start < 2
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert ReportJob.objects.count() == 1


def test_taken_over_at_the_very_end(work_is: Made, job_of: Made) -> None:
    """A worker that was thought dead finishes last: what it made is removed, the other's stays."""
    job, other, gone = job_of(), uuid4(), []

    def work(_job: ReportJob, _attempt: Any) -> dict[str, Any]:
        ReportJob.objects.update(run=other)
        return {"file_path": "mine"}

    kind = work_is(work, discard=lambda _job, made: gone.append(made["file_path"]))
    assert perform(kind, job.pk) is None
    job.refresh_from_db()
    assert (job.status, job.run, job.file_path, gone) == ("processing", other, None, ["mine"])


@pytest.mark.parametrize(
    ("error", "again", "sentence"),
    [
        (Failure("No paper."), True, "No paper."),
        (Failure("Never.", again=False), False, "Never."),
        (Invalid({"sort": "Cannot."}), False, "sort: Cannot."),
        (OSError(errno.ENOSPC, "x"), True, "There is no space left on the server's disk."),
        (OSError(errno.EFBIG, "x"), True, "There is no space left on the server's disk."),
        (
            KeyError("+79991234567"),
            True,
            "Something went wrong on the server. It has been recorded.",
        ),
        (OperationalError("+79991234567"), True, "The database did not answer as expected."),
    ],
)
def test_what_can_go_wrong_is_said(
    work_is: Made, job_of: Made, error: Exception, again: bool, sentence: str
) -> None:
    def work(_job: ReportJob, _attempt: Any) -> dict[str, Any]:
        raise error

    job = job_of()
    with Listener.listening() as lines:
        assert perform(work_is(work), job.pk) == (60 if again else None)
    job.refresh_from_db()
    assert (job.status, job.error_message) == ("pending" if again else "failed", sentence)
    assert (job.completed_at is None) is again
    # The log names what was raised, and quotes nothing.
    assert "+7999" not in "".join(lines)
    assert ("KeyError" in "".join(lines)) is isinstance(error, KeyError)


def test_three_more_attempts_after_one_two_and_four_minutes(work_is: Made, job_of: Made) -> None:
    def work(_job: ReportJob, _attempt: Any) -> dict[str, Any]:
        raise Failure("No paper.")

    kind, job = work_is(work), job_of()
    with time_machine.travel("2026-05-01T10:00:00Z", tick=False) as clock:
        for pause in (60, 120, 240):
            assert perform(kind, job.pk) == pause
            clock.shift(pause - 10)
            # Too early: nothing happens, and the caller hears when to come back.
            assert perform(kind, job.pk) == 10
            clock.shift(10)
        assert perform(kind, job.pk) is None
        assert perform(kind, job.pk) is None
    job.refresh_from_db()
    assert (job.status, job.attempts, job.error_message) == ("failed", 4, "No paper.")


def test_success_forgets_the_failure_before(work_is: Made, job_of: Made) -> None:
    job = job_of(error_message="No paper.", attempts=1)
    perform(work_is(nothing), job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_message, job.attempts) == ("done", None, 2)


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
def test_what_has_ended_stays_so(work_is: Made, job_of: Made, status: str) -> None:
    job = job_of(status=status)
    kind = work_is(lambda _j, _a: pytest.fail("worked on"))
    assert perform(kind, job.pk) is None
    assert not cancel(job)
    assert perform(kind, uuid4()) is None


def test_a_silent_attempt_is_taken_over(work_is: Made, job_of: Made) -> None:
    run, now = uuid4(), timezone.now()
    job = job_of(status="processing", run=run, attempts=1, lease_until=now + timedelta(seconds=5))
    kind = work_is(nothing)
    assert perform(kind, job.pk) is None
    assert abandoned(kind) == []
    job.refresh_from_db()
    assert (job.status, job.run) == ("processing", run)
    ReportJob.objects.update(lease_until=now - timedelta(seconds=1))
    assert [one.pk for one in abandoned(kind)] == [job.pk]
    job.refresh_from_db()
    assert (job.status, job.run, job.lease_until) == ("pending", None, None)
    assert "interrupted" in job.error_message
    perform(kind, job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("done", 2)


def test_one_that_kills_every_worker_fails(work_is: Made, job_of: Made) -> None:
    past = timezone.now() - timedelta(seconds=1)
    job = job_of(status="processing", run=uuid4(), attempts=4, lease_until=past)
    kind = work_is(nothing)
    assert perform(kind, job.pk) is None
    assert abandoned(kind) == []
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("failed", 4)
    assert "interrupted" in job.error_message


def test_only_the_dead_attempt_is_given_back(work_is: Made, job_of: Made) -> None:
    run = uuid4()
    later = timezone.now() + timedelta(seconds=60)
    job = job_of(status="processing", run=run, attempts=2, lease_until=later)
    kind = work_is(nothing)
    assert interrupted(kind, job.pk, run=uuid4()) is None
    job.refresh_from_db()
    assert job.status == "processing"
    assert interrupted(kind, job.pk, run=run) == 120
    job.refresh_from_db()
    assert (job.status, job.run) == ("pending", None)


def test_an_attempt_that_cannot_prolong_its_lease_stops(
    work_is: Made, job_of: Made, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off from the database it gives up as soon as others may take over, not later."""
    settings.JOBS = {**settings.JOBS, "LEASE_SECONDS": 1}
    job = job_of()

    def away(*_: Any, **__: Any) -> int:
        raise OperationalError("away")

    def work(_job: ReportJob, attempt: Any) -> dict[str, Any]:
        monkeypatch.setattr(type(attempt._held), "update", away)
        until = time.monotonic() + 10
        try:
            while time.monotonic() < until:
                attempt.progress(1)
                time.sleep(0.02)
        finally:
            monkeypatch.undo()
        raise AssertionError

    start = time.monotonic()
    assert perform(work_is(work), job.pk) is None
    assert 0.9 < time.monotonic() - start < 3
    job.refresh_from_db()
    assert job.status == "processing"


def test_the_beat_ends_with_the_attempt(work_is: Made, job_of: Made) -> None:
    before = threading.active_count()
    perform(work_is(nothing), job_of().pk)
    assert threading.active_count() == before


def test_an_outage_at_the_end_leaves_the_job_to_others(
    work_is: Made, job_of: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    job = job_of()
    monkeypatch.setattr(running, "finish", away)
    monkeypatch.setattr(running, "give_back", away)
    with pytest.raises(OperationalError):
        perform(work_is(nothing), job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.PROCESSING
    assert not transaction.get_connection().in_atomic_block
