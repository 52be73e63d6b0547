"""Handing jobs over: to Redis or to this process's own thread; and finding those that were lost."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway
from rq import Queue
from rq.job import Job as QueuedJob

from crm.errors import Unavailable
from crm.jobs import chores, inprocess, queue
from crm.jobs.failures import Failure
from crm.jobs.rescue import rescue
from crm.jobs.worker import Worker
from reports.models import ReportJob
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)

DEAD_REDIS = "redis://127.0.0.1:1/0"
Made = Callable[..., Any]


def new_job(cast: Cast, **values: Any) -> ReportJob:
    return ReportJob(owner=cast.sergei, entity="objects", format="csv", **values)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


def burst(redis: Redis) -> None:
    """A worker that does everything there is, in this process."""
    worker = InProcessWorker(["default", "reports"], connection=redis)
    worker.work(burst=True, logging_level="ERROR")


class InProcessWorker(Worker):
    """The product's worker without the fork: a test's transaction and patches hold in it."""

    def execute_job(self, job: QueuedJob, queue: Queue) -> None:
        execution = self.prepare_execution(job)
        self.perform_job(job, queue, execution)
        self.set_state("idle")

    def _install_signal_handlers(self) -> None:
        pass


@pytest.mark.redis
def test_a_worker_does_what_was_put(cast: Cast, work_is: Made, redis: Redis) -> None:
    work_is(lambda _job, _attempt: {"file_path": "made"})
    job = new_job(cast)
    queue.put(job)
    assert (job.status, job.language) == ("pending", "ru")
    queued = QueuedJob.fetch(str(job.pk), connection=redis)
    assert (queued.origin, queued.retries_left, queued.retry_intervals) == (
        "reports",
        3,
        [60, 120, 240],
    )
    assert (tuple(queued.args), queued.timeout) == (("reports.ReportJob", str(job.pk)), 3600)
    burst(redis)
    job.refresh_from_db()
    assert (job.status, job.file_path) == ("done", "made")
    # The attempt carries the name of RQ's execution.
    assert job.run is not None


@pytest.mark.redis
def test_another_attempt_waits_in_the_queue(cast: Cast, work_is: Made, redis: Redis) -> None:
    def work(_job: ReportJob, _attempt: Any) -> dict[str, Any]:
        raise Failure("No paper.")

    work_is(work)
    job = new_job(cast)
    queue.put(job)
    burst(redis)
    job.refresh_from_db()
    assert (job.status, job.attempts, job.error_message) == ("pending", 1, "No paper.")
    registry = Queue("reports", connection=redis).scheduled_job_registry
    assert registry.get_job_ids() == [str(job.pk)]
    pause = registry.get_scheduled_time(str(job.pk)) - timezone.now()
    assert 55 < pause.total_seconds() <= 61
    # What waits there is not lost.
    ReportJob.objects.update(
        updated_at=timezone.now() - timedelta(hours=1), retry_at=timezone.now()
    )
    assert rescue() == 0
    work_is(lambda _job, _attempt: {})
    redis.zadd(registry.key, {str(job.pk): time.time() - 1})
    burst(redis)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("done", 2)


@pytest.mark.parametrize("method", ["ping", "enqueue"])
def test_without_an_answer_from_redis_nothing_is_left(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Asked first, an absent one has no row written; one that goes meanwhile has it taken back."""

    def away(*_: Any, **__: Any) -> None:
        raise RedisAway("away")

    if method == "ping":
        settings.REDIS_URL = DEAD_REDIS
    elif settings.REDIS_URL:
        monkeypatch.setattr(Queue, "enqueue_call", away)
    else:
        pytest.skip("no Redis here: set TEST_REDIS_URL")
    job = new_job(cast)
    with (
        CaptureQueriesContext(connection) as queries,
        pytest.raises(Unavailable, match=r"(?i)queue|очеред"),
    ):
        queue.put(job)
    assert bool(queries.captured_queries) is (method == "enqueue")
    assert ReportJob.objects.count() == 0


@pytest.mark.redis
def test_a_refused_row_is_not_handed_over(cast: Cast, redis: Redis) -> None:
    queue.put(new_job(cast, fingerprint="f"))
    with pytest.raises(IntegrityError):
        queue.put(new_job(cast, fingerprint="f"))
    assert Queue("reports", connection=redis).count == 1


@pytest.mark.redis
def test_what_was_saved_and_never_handed_over_is_found(
    cast: Cast, work_is: Made, job_of: Made, redis: Redis
) -> None:
    work_is(lambda _job, _attempt: {})
    lost, fresh = job_of(), job_of()
    queued = new_job(cast)
    queue.put(queued)
    long_ago = timezone.now() - timedelta(minutes=1)
    ReportJob.objects.exclude(pk=fresh.pk).update(updated_at=long_ago)
    assert rescue() == 1
    assert rescue() == 0
    burst(redis)
    statuses = dict(ReportJob.objects.values_list("pk", "status"))
    assert statuses == {lost.pk: "done", queued.pk: "done", fresh.pk: "pending"}


@pytest.mark.redis
def test_what_a_dead_worker_held_is_put_again(work_is: Made, job_of: Made, redis: Redis) -> None:
    work_is(lambda _job, _attempt: {})
    past = timezone.now() - timedelta(seconds=1)
    job = job_of(status="processing", run=uuid4(), attempts=1, lease_until=past)
    out = StringIO()
    call_command("jobs_rescue", stdout=out)
    assert "1" in out.getvalue()
    [queued_id] = Queue("reports", connection=redis).job_ids
    queued = QueuedJob.fetch(queued_id, connection=redis)
    assert (queued.retries_left, queued.retry_intervals) == (2, [120, 240])
    burst(redis)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("done", 2)


@pytest.mark.redis
def test_redis_forgot_everything(cast: Cast, work_is: Made, redis: Redis) -> None:
    work_is(lambda _job, _attempt: {})
    job = new_job(cast)
    queue.put(job)
    redis.flushdb()
    ReportJob.objects.update(updated_at=timezone.now() - timedelta(minutes=1))
    # A worker looks around when it starts.
    burst(redis)
    job.refresh_from_db()
    assert job.status == "done"


@pytest.mark.redis
def test_a_job_in_the_queue_twice_is_done_once(cast: Cast, work_is: Made, redis: Redis) -> None:
    done = []

    def work(job: ReportJob, _attempt: Any) -> dict[str, Any]:
        done.append(job.pk)
        return {}

    work_is(work)
    job = new_job(cast)
    queue.put(job)
    redis.rpush(Queue("reports", connection=redis).key, str(job.pk))
    burst(redis)
    assert done == [job.pk]


@pytest.mark.redis
def test_a_worker_survives_an_outage_of_the_database(
    cast: Cast, work_is: Made, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("+79991234567")

    work_is(lambda _job, _attempt: {})
    job = new_job(cast)
    queue.put(job)
    with monkeypatch.context() as patch:
        patch.setattr(queue, "perform", away)
        burst(redis)
    assert Queue("reports", connection=redis).scheduled_job_registry.get_job_ids() == [str(job.pk)]


# --- without Redis --------------------------------------------------------------------------------


@pytest.fixture
def no_redis(settings: Any) -> None:
    settings.REDIS_URL = ""


@pytest.mark.usefixtures("no_redis")
def test_without_redis_the_process_does_it(cast: Cast, work_is: Made) -> None:
    work_is(lambda _job, _attempt: {"file_path": "made"})
    job = new_job(cast)
    queue.put(job)
    assert job.status == "pending"
    until = time.monotonic() + 10
    while job.status != "done" and time.monotonic() < until:
        time.sleep(0.02)
        job.refresh_from_db()
    assert job.status == "done"
    wait_for_the_thread()


def wait_for_the_thread() -> None:
    """The thread ends when there is nothing left; the tables are emptied after that."""
    until = time.monotonic() + 10
    while inprocess._thread is not None and time.monotonic() < until:
        time.sleep(0.02)
    assert inprocess._thread is None


@pytest.mark.usefixtures("no_redis")
def test_one_at_a_time_the_oldest_first(
    work_is: Made, job_of: Made, run_together: Callable[..., list[Any]]
) -> None:
    running, order, most = [], [], []

    def work(job: ReportJob, _attempt: Any) -> dict[str, Any]:
        running.append(job.pk)
        order.append(job.pk)
        most.append(len(running))
        time.sleep(0.05)
        running.remove(job.pk)
        return {}

    work_is(work)
    jobs = [job_of().pk for _ in range(4)]
    assert inprocess.do_everything_due() is None
    assert (order, max(most)) == (jobs, 1)
    # Two processes share the work: each job is done by one of them.
    order.clear()
    jobs = [job_of().pk for _ in range(6)]
    run_together(inprocess.do_everything_due, inprocess.do_everything_due)
    assert sorted(order) == jobs
    assert ReportJob.objects.filter(status="done").count() == 10


@pytest.mark.usefixtures("no_redis")
def test_the_same_pauses_without_redis(work_is: Made, job_of: Made) -> None:
    def work(_job: ReportJob, _attempt: Any) -> dict[str, Any]:
        raise Failure("No paper.")

    work_is(work)
    job = job_of()
    with time_machine.travel("2026-05-01T10:00:00Z", tick=False) as clock:
        for attempts, pause in ((1, 60), (2, 120), (3, 240)):
            # It looks around every half minute, and is there in time.
            assert inprocess.do_everything_due() == 30
            clock.shift(pause - 10)
            assert inprocess.do_everything_due() == 10
            job.refresh_from_db()
            assert (job.status, job.attempts) == ("pending", attempts)
            clock.shift(10)
        assert inprocess.do_everything_due() is None
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("failed", 4)


@pytest.mark.usefixtures("no_redis")
def test_a_restarted_process_goes_on(work_is: Made, job_of: Made) -> None:
    """What another process had in its hands when it died waits for its lease to run out."""
    work_is(lambda _job, _attempt: {})
    now = timezone.now()
    job = job_of(
        status="processing", run=uuid4(), attempts=1, lease_until=now + timedelta(seconds=45)
    )
    with time_machine.travel(now, tick=False) as clock:
        assert inprocess.do_everything_due() == 30
        clock.shift(46)
        assert inprocess.do_everything_due() is None
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("done", 2)
    connections.close_all()


# --- chores ---------------------------------------------------------------------------------------


@pytest.fixture
def chore(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One chore, due every hour; a one for each time it was done."""
    done: list[int] = []
    one = chores.Chore("sweep", timedelta(hours=1), lambda: done.append(1))
    monkeypatch.setattr(chores, "_chores", {"sweep": one})
    monkeypatch.setattr(chores, "_done_at", {})
    return done


@pytest.mark.redis
def test_workers_do_a_chore_once_an_hour(chore: list[int], redis: Redis) -> None:
    for _ in range(3):
        burst(redis)
    assert chore == [1]
    assert 3500 < redis.ttl("crm:chore:sweep") <= 3600
    redis.delete("crm:chore:sweep")
    assert chores.put_due(redis) == ["sweep"]
    assert chores.put_due(redis) == []


@pytest.mark.usefixtures("no_redis")
def test_the_process_does_its_chores_itself(chore: list[int]) -> None:
    inprocess.do_everything_due()
    inprocess.do_everything_due()
    assert chore == [1]


def test_a_chore_that_fails_is_no_end(chore: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise KeyError("+79991234567")

    bad = chores.Chore("bad", timedelta(hours=1), fails)
    monkeypatch.setattr(chores, "_chores", {"bad": bad, **chores._chores})
    chores.do_due()
    assert chore == [1]
