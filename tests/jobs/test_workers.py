"""Workers that are killed in the middle of an export: nothing is lost, nothing is done twice."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from redis import Redis

from objects.models import Object
from reports.cleanup import unfinished
from reports.models import ReportJob
from reports.storing import unfinished_files
from tests.cast import Cast
from tests.jobs.workers import Workers, wait_until
from tests.reports.asking import rows_of_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]

# At a millisecond each.
ROWS = 2_500
PAUSE = 1


@pytest.fixture
def workers(
    transactional_db: None, redis_url: str, engine: str, tmp_path: Path
) -> Iterator[Workers]:
    found = Workers(engine, tmp_path / "workers.log")
    try:
        yield found
    finally:
        found.stop()
        sys.stdout.write((tmp_path / "workers.log").read_text(encoding="utf-8"))


@pytest.fixture
def many(cast: Cast) -> Cast:
    """Moscow, grown."""
    Object.objects.bulk_create(
        [
            Object(
                type="MKD", address=f"ул. Длинная, д. {n}", city=cast.moscow, district=cast.centre
            )
            for n in range(ROWS)
        ],
        batch_size=2000,
    )
    return cast


def asked(cast: Cast) -> ReportJob:
    answer = cast.api(cast.sergei).post(
        "/api/v1/reports/export", {"entity": "objects", "format": "csv", "sort": "address"}
    )
    assert answer.status_code == 201, answer.content
    return ReportJob.objects.get(pk=answer.json()["id"])


def state_of(job: ReportJob) -> str:
    job.refresh_from_db()
    return job.status


def in_the_middle(job: ReportJob) -> Callable[[], bool]:
    return lambda: state_of(job) == "processing" and 0 < job.rows_done < ROWS


def whole_file(job: ReportJob) -> None:
    """The one file of the job holds every row once."""
    assert (job.rows_done, job.progress) == (ROWS, 100)
    assert default_storage.listdir("exports")[1] == [Path(job.file_path).name]
    with default_storage.open(job.file_path) as file:
        found = [row[0] for row in rows_of_csv(file.read())[1:]]
    assert len(found) == len(set(found)) == ROWS
    assert list(unfinished_files()) == []


@pytest.fixture(autouse=True)
def own_settings(reports_path: Path, workers: Workers, settings: Any) -> None:
    """The same directory and the same pauses here and in the workers."""
    workers.environment["REPORTS_PATH"] = str(reports_path)
    settings.JOBS = {**settings.JOBS, "RETRY_SECONDS": [PAUSE] * 3}


def test_the_work_horse_is_killed(many: Cast, workers: Workers) -> None:
    worker = workers.start()
    job = asked(many)
    wait_until(in_the_middle(job), "an export in the middle")
    os.kill(workers.horse_of(worker), signal.SIGKILL)
    wait_until(lambda: state_of(job) == "done", "the export done")
    assert job.attempts == 2
    assert worker.poll() is None
    leftovers()
    whole_file(job)


def leftovers() -> None:
    """What the killed one had written so far is found by the housekeeping, long after."""
    assert unfinished(timezone.now()) <= 1


def test_the_whole_worker_is_killed(many: Cast, workers: Workers) -> None:
    worker = workers.start()
    job = asked(many)
    wait_until(in_the_middle(job), "an export in the middle")
    workers.kill_all_of(worker)
    time.sleep(0.5)
    assert state_of(job) == "processing"
    workers.start()
    wait_until(lambda: state_of(job) == "done", "the export done by another worker")
    assert job.attempts == 2
    leftovers()
    whole_file(job)


def test_only_the_parent_is_killed(many: Cast, workers: Workers) -> None:
    """The orphaned horse finishes; another worker does not do it again."""
    worker = workers.start()
    job = asked(many)
    wait_until(in_the_middle(job), "an export in the middle")
    worker.kill()
    worker.wait()
    workers.start()
    wait_until(lambda: state_of(job) == "done", "the export done")
    assert job.attempts == 1
    whole_file(job)


def test_told_to_stop_it_finishes_first(many: Cast, workers: Workers) -> None:
    worker = workers.start()
    job = asked(many)
    wait_until(in_the_middle(job), "an export in the middle")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert (state_of(job), job.attempts) == ("done", 1)
    whole_file(job)


def test_told_twice_it_gives_the_job_back(many: Cast, workers: Workers) -> None:
    worker = workers.start(lease=60)
    job = asked(many)
    wait_until(in_the_middle(job), "an export in the middle")
    worker.send_signal(signal.SIGTERM)
    # Within a second a second signal counts as the same.
    time.sleep(1.1)
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)
    if state_of(job) != "done":
        assert (job.status, job.run) == ("pending", None)
        workers.start(lease=60)
        wait_until(lambda: state_of(job) == "done", "the export done by another worker")
        assert job.attempts == 2
    leftovers()
    whole_file(job)


def test_a_cancelled_export_ends_within_a_second(many: Cast, workers: Workers) -> None:
    worker = workers.start()
    job = asked(many)
    wait_until(in_the_middle(job), "an export in the middle")
    horse = workers.horse_of(worker)
    answer = many.api(many.sergei).post(f"/api/v1/reports/jobs/{job.pk}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    start = time.monotonic()
    wait_until(lambda: not Path(f"/proc/{horse}").exists() or is_zombie(horse), "the horse's end")
    assert time.monotonic() - start < 1.5
    assert state_of(job) == "cancelled"
    assert not default_storage.exists("exports") or default_storage.listdir("exports")[1] == []
    assert list(unfinished_files()) == []


def is_zombie(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
            == "Z"
        )
    except OSError:
        return True


def test_probes_know_the_workers(workers: Workers) -> None:
    client = Client()
    assert client.get("/worker/ready").status_code == 503
    worker = workers.start()
    wait_until(lambda: client.get("/worker/ready").status_code == 200, "a worker that is ready")
    expected = {"status": "ok", "redis": "ok", "queue_length": 0, "workers": 1}
    wait_until(lambda: client.get("/worker/health").json() == expected, "an empty queue")
    worker.send_signal(signal.SIGTERM)
    worker.wait(30)
    assert client.get("/worker/ready").status_code == 503


def test_a_redis_that_lost_its_memory_hears_of_the_workers_again(
    workers: Workers, redis_url: str
) -> None:
    client = Client()
    worker = workers.start()
    wait_until(lambda: client.get("/worker/ready").status_code == 200, "a worker that is ready")
    # It would be back before anybody has looked.
    worker.send_signal(signal.SIGSTOP)
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    assert client.get("/worker/ready").status_code == 503
    worker.send_signal(signal.SIGCONT)
    begun = time.monotonic()
    wait_until(lambda: client.get("/worker/ready").status_code == 200, "the worker, known again")
    assert time.monotonic() - begun < 10
    assert client.get("/worker/health").json()["workers"] == 1
