"""Large actions: by a worker, batch by batch, each exactly once, whatever happens in between."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from crm.backoffice.bulk import actions, choice, running
from crm.backoffice.models import BulkJob
from crm.jobs.kinds import kind_of
from crm.jobs.models import JobStatus
from crm.jobs.running import cancel, perform
from objects.models import Object
from objects.services import update_object
from tests.cast import Cast
from tests.office import bulk
from tests.office.desk import desk
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)
OBJECTS = "objects/object/"
KIND = "backoffice.BulkJob"


class Killed(BaseException):
    """The process is gone: nothing of ours catches it."""


@pytest.fixture
def in_batches() -> Iterator[Callable[..., None]]:
    """Make an action work in small batches, and do something before each of them."""
    real = {name: actions.action_of(name) for name in ("objects.status", "visits.plan")}

    def put(name: str, size: int, before: Callable[[int], None] = lambda _: None) -> None:
        seen = {"batches": 0}

        def work(batch: actions.Batch) -> Any:
            tally = real[name].work(batch)
            seen["batches"] += 1
            before(seen["batches"])
            return tally

        actions.add(replace(real[name], batch=size, work=work))

    yield put
    for one in real.values():
        actions.add(one)


def job_over(
    cast: Cast, homes: list[Object], action: str = "objects.status", **values: Any
) -> BulkJob:
    """A waiting job."""
    made: BulkJob = BulkJob.objects.create(
        owner=cast.sergei, language="en", action=action, number=len(homes),
        params={"values": values or {"status": "DONE"}, "told": []},
        chosen=choice.packed({home.pk: home.version for home in homes}),
    )  # fmt: skip
    return made


def plan_values(cast: Cast) -> dict[str, Any]:
    at = timezone.now() + timedelta(days=1)
    return {"engineer": str(cast.ivan.pk), "at": at.isoformat(), "skip": False}


def again(job: BulkJob) -> None:
    """As the rescue does when the lease is over."""
    BulkJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    perform(kind_of(KIND), job.pk)
    job.refresh_from_db()


def test_many_are_done_by_a_worker(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 2)
    given: list[BulkJob] = []

    def put(job: BulkJob) -> None:
        job.language = "en"
        job.save(force_insert=True)
        given.append(job)

    monkeypatch.setattr(running.queue, "put", put)
    homes = [cast.object() for _ in range(3)]
    sergei = desk(cast.sergei)
    page = bulk.asked(sergei, OBJECTS, "objects.status")
    assert "It runs in the background" in page.content.decode()
    job = bulk.job_of(bulk.sent(sergei, OBJECTS, page, status="DONE"))
    assert given == [job]
    assert (job.status, job.number, job.position) == ("pending", 3, 0)
    shown = sergei.get(f"/admin/jobs/bulk/{job.pk}/").content.decode()
    assert "jobs.js" in shown
    assert 'http-equiv="refresh"' in shown
    state = sergei.get(f"/admin/jobs/bulk/{job.pk}/state/").json()
    assert (state["ended"], state["progress"]) == (False, 0)
    perform(kind_of(KIND), job.pk)
    state = sergei.get(f"/admin/jobs/bulk/{job.pk}/state/").json()
    assert (state["ended"], state["progress"], state["rows"]) == (True, 100, "3 of 3")
    job.refresh_from_db()
    assert bulk.counts(job) == (3, 0, 0)
    assert {home.status for home in Object.objects.filter(pk__in=[one.pk for one in homes])} == {
        "DONE"
    }


@pytest.mark.parametrize("action", ["objects.status", "visits.plan"])
def test_killed_in_the_middle_and_taken_up_again(
    cast: Cast, in_batches: Callable[..., None], action: str
) -> None:
    homes = [cast.object() for _ in range(5)]
    values = plan_values(cast) if action == "visits.plan" else {"status": "DONE"}
    job = job_over(cast, homes, action, **values)

    def kill(batches: int) -> None:
        if batches == 2:
            raise Killed

    in_batches(action, 2, kill)
    with pytest.raises(Killed):
        perform(kind_of(KIND), job.pk)
    job.refresh_from_db()
    # The first batch stays, the second is rolled back with the word of it.
    assert (job.position, bulk.counts(job)) == (2, (2, 0, 0))
    written = (
        Visit.objects.count()
        if action == "visits.plan"
        else Object.objects.filter(version=2).count()
    )
    assert written == 2
    again(job)
    assert (job.status, job.position, bulk.counts(job)) == ("done", 5, (5, 0, 0))
    entries = AuditEntry.objects.filter(actor=cast.sergei, action__in=["create", "update"])
    assert entries.count() == 5
    if action == "visits.plan":
        assert sorted(Visit.objects.values_list("object_id", flat=True)) == sorted(
            one.pk for one in homes
        )
    else:
        assert {home.version for home in Object.objects.all()} == {2}
    # Done twice is done once.
    again(job)
    assert entries.count() == 5


def test_a_plan_whose_word_was_lost_makes_no_second_visit(cast: Cast) -> None:
    """Even if the batch were done twice: a visit's id follows from the job and the object."""
    homes = [cast.object() for _ in range(3)]
    job = job_over(cast, homes, "visits.plan", **plan_values(cast))
    perform(kind_of(KIND), job.pk)
    BulkJob.objects.filter(pk=job.pk).update(status="pending", position=0, changed=0, retry_at=None)
    perform(kind_of(KIND), job.pk)
    job.refresh_from_db()
    assert bulk.counts(job) == (3, 0, 0)
    assert Visit.objects.count() == 3


def test_cancelled_between_batches(cast: Cast, in_batches: Callable[..., None]) -> None:
    homes = [cast.object() for _ in range(5)]
    job = job_over(cast, homes)
    cancelled: list[bool] = []

    def stop(batches: int) -> None:
        if batches == 2 and not cancelled:
            # Somebody else's transaction would be another connection; here the batch sees it just the same.
            cancelled.append(cancel(BulkJob.objects.get(pk=job.pk)))

    in_batches("objects.status", 2, stop)
    sergei = desk(cast.sergei)
    perform(kind_of(KIND), job.pk)
    job.refresh_from_db()
    assert job.position == 2
    # The cancellation was part of the batch that was rolled back: cancelled for good from outside.
    assert sergei.post(f"/admin/jobs/bulk/{job.pk}/cancel/").status_code == 302
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    page = sergei.get(f"/admin/jobs/bulk/{job.pk}/").content.decode()
    assert "Not reached" in page
    answer = sergei.post(f"/admin/jobs/bulk/{job.pk}/again/")
    rest = bulk.job_of(answer)
    assert (rest.number, bulk.counts(rest)) == (3, (3, 0, 0))
    assert {home.status for home in Object.objects.all()} == {"DONE"}
    assert {home.version for home in Object.objects.all()} == {2}


def test_conflicts_in_a_job(cast: Cast, in_batches: Callable[..., None]) -> None:
    homes = sorted((cast.object() for _ in range(4)), key=lambda one: one.pk)
    job = job_over(cast, homes)

    def meddle(batches: int) -> None:
        if batches == 1:
            update_object(actor=cast.anna, record_id=homes[3].pk, changes={"status": "REJECTED"})

    in_batches("objects.status", 2, meddle)
    perform(kind_of(KIND), job.pk)
    job.refresh_from_db()
    assert bulk.counts(job) == (3, 0, 1)
    assert [one["id"] for one in job.problems] == [str(homes[3].pk)]


def test_problems_are_listed_up_to_a_bound(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LISTED", 3)
    homes = [cast.object(city=cast.kazan) for _ in range(5)]
    job = job_over(cast, homes)
    perform(kind_of(KIND), job.pk)
    job.refresh_from_db()
    assert bulk.counts(job) == (0, 0, 5)
    assert len(job.problems) == 3
    page = desk(cast.sergei).get(f"/admin/jobs/bulk/{job.pk}/").content.decode()
    assert "2 more are not shown" in page


def test_too_many_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "MOST", 2)
    for _ in range(3):
        cast.object()
    sergei = desk(cast.sergei)
    page = bulk.asked(sergei, OBJECTS, "objects.status")
    assert "are too many" in page.content.decode()
    answer = bulk.sent(sergei, OBJECTS, page, status="DONE")
    assert answer.status_code == 422
    assert not BulkJob.objects.exists()


def test_batches_take_a_number_of_queries_that_does_not_grow(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    """Assigning thousands must not take minutes."""
    for count in (3, 40):
        homes = [cast.object() for _ in range(count)]
        job = job_over(cast, homes)
        with django_assert_max_num_queries(22):
            perform(kind_of(KIND), job.pk)
        job.refresh_from_db()
        assert bulk.counts(job) == (count, 0, 0)
