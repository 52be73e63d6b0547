"""Actions on many records: said first, done by the services, told of afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from crm.backoffice.models import BulkJob
from objects.models import Object
from objects.services import update_object
from tests.cast import Cast
from tests.office import bulk
from tests.office.desk import browser, desk
from tests.sync.phone import Phone
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)
OBJECTS, VISITS = "objects/object/", "visits/visit/"


def reread(*rows: Any) -> None:
    for row in rows:
        row.refresh_from_db()


def entries(*rows: Any) -> list[tuple[str, Any]]:
    found = AuditEntry.objects.filter(entity_id__in=[row.pk for row in rows])
    return [(entry.action, entry.actor_id) for entry in found.order_by("pk")]


def test_the_page_says_what_it_will_do_and_does_nothing(cast: Cast) -> None:
    homes = [cast.object() for _ in range(3)]
    sergei = desk(cast.sergei)
    listed = sergei.get(f"/admin/{OBJECTS}").content.decode()
    assert "Assign a responsible person" in listed
    assert "Plan visits" in listed
    page = bulk.asked(sergei, OBJECTS, "objects.assign", [homes[0].pk, homes[1].pk])
    text = page.content.decode()
    assert page.status_code == 200
    assert "Assign a responsible person: 2 records" in text
    assert homes[0].address in text
    assert homes[2].address not in text
    page = bulk.asked(sergei, f"{OBJECTS}?status=NEW", "objects.status")
    assert "Change the status: 3 records" in page.content.decode()
    assert not BulkJob.objects.exists()
    assert {home.version for home in Object.objects.all()} == {1}


def test_assigning(cast: Cast) -> None:
    homes = [cast.object() for _ in range(3)]
    already = cast.object(responsible_user=cast.ivan)
    sergei = desk(cast.sergei)
    chosen = [*homes, already]
    job = bulk.done(
        sergei, OBJECTS, "objects.assign", [one.pk for one in chosen], person=cast.ivan.pk
    )
    assert (job.status, bulk.counts(job)) == ("done", (3, 1, 0))
    reread(*chosen)
    assert {one.responsible_user_id for one in chosen} == {cast.ivan.pk}
    assert [one.version for one in chosen] == [2, 2, 2, 1]
    assert {one.updated_by_id for one in homes} == {cast.sergei.pk}
    assert entries(*chosen) == [("update", cast.sergei.pk)] * 3
    page = sergei.get(f"/admin/jobs/bulk/{job.pk}/").content.decode()
    assert cast.ivan.full_name in page
    assert "Unchanged" in page
    # Nobody, and the same again: nothing is left to be done.
    for expected in ((4, 0, 0), (0, 4, 0)):
        job = bulk.done(sergei, OBJECTS, "objects.assign", [one.pk for one in chosen], nobody="on")
        assert bulk.counts(job) == expected


def test_the_feed_tells_phones(cast: Cast) -> None:
    home = cast.object(city=cast.kazan)
    ivan = Phone.of(cast, cast.ivan)
    ivan.pull()
    assert ivan.keys("objects") == set()
    job = bulk.done(desk(cast.anna), OBJECTS, "objects.assign", [home.pk], person=cast.ivan.pk)
    assert bulk.counts(job) == (1, 0, 0)
    ivan.pull()
    assert ivan.keys("objects") == {str(home.pk)}
    bulk.done(desk(cast.anna), OBJECTS, "objects.object.delete", [home.pk])
    ivan.pull()
    assert ivan.keys("objects") == set()


def test_what_the_form_lacks_stands_beside_the_field(cast: Cast) -> None:
    home = cast.object()
    sergei = desk(cast.sergei)
    page = bulk.asked(sergei, OBJECTS, "objects.assign", [home.pk])
    for form in ({}, {"person": cast.ivan.pk, "nobody": "on"}, {"person": "rubbish"}):
        answer = bulk.sent(sergei, OBJECTS, page, **form)
        assert answer.status_code == 200
        assert "office-error" in answer.content.decode()
    page = bulk.asked(sergei, OBJECTS, "visits.plan", [home.pk])
    past = timezone.localdate() - timedelta(days=3)
    answer = bulk.sent(sergei, OBJECTS, page, engineer=cast.ivan.pk, day=past.isoformat())
    assert "This day is over." in answer.content.decode()
    assert not BulkJob.objects.exists()


def test_delegating(cast: Cast) -> None:
    here, there = cast.object(), cast.object(city=cast.kazan)
    anna = desk(cast.anna)
    job = bulk.done(
        anna, OBJECTS, "objects.delegate", [here.pk, there.pk], supervisor_id=cast.sergei.pk
    )
    assert bulk.counts(job) == (1, 0, 1)
    page = anna.get(f"/admin/jobs/bulk/{job.pk}/").content.decode()
    assert "not an active supervisor whose territory holds the object" in page
    assert there.address in page
    assert f"/admin/objects/object/{there.pk}/change/" in page
    reread(here, there)
    assert (here.responsible_user_id, there.responsible_user_id) == (cast.sergei.pk, None)
    file = anna.get(f"/admin/jobs/bulk/{job.pk}/problems.csv")
    assert there.address in file.content.decode()
    offered = desk(cast.olga).get("/admin/bulk/supervisors/").json()["results"]
    assert [one["id"] for one in offered] == [str(cast.olga.pk)]


def test_status_and_planning(cast: Cast) -> None:
    homes = [cast.object() for _ in range(3)]
    cast.visit(homes[0], cast.pyotr)
    sergei = desk(cast.sergei)
    ids = [one.pk for one in homes]
    job = bulk.done(sergei, OBJECTS, "objects.status", ids, status="INTEREST")
    assert bulk.counts(job) == (3, 0, 0)
    day = timezone.localdate() + timedelta(days=2)
    form = {"engineer": cast.ivan.pk, "day": day.isoformat(), "hour": "14:30"}
    job = bulk.done(sergei, OBJECTS, "visits.plan", ids, skip="on", **form)
    assert bulk.counts(job) == (2, 1, 0)
    made = Visit.objects.filter(engineer=cast.ivan)
    assert {one.object_id for one in made} == {homes[1].pk, homes[2].pk}
    for visit in made:
        local = timezone.localtime(visit.scheduled_at)
        assert (local.date(), local.hour, local.minute) == (day, 14, 30)
        assert (visit.status, visit.version, visit.pk.version) == ("PLANNED", 1, 7)
    assert entries(*made) == [("create", cast.sergei.pk)] * 2
    # Without leaving anything out, each gets one more.
    assert bulk.counts(bulk.done(sergei, OBJECTS, "visits.plan", ids, **form)) == (3, 0, 0)


def test_visits(cast: Cast) -> None:
    home = cast.object()
    at = timezone.now() + timedelta(days=1)
    planned = [cast.visit(home, cast.ivan, scheduled_at=at) for _ in range(2)]
    over = cast.visit(home, cast.ivan, status="DONE", outcome_text="Да", scheduled_at=at)
    ids = [one.pk for one in (*planned, over)]
    sergei = desk(cast.sergei)
    job = bulk.done(sergei, VISITS, "visits.reassign", ids, engineer=cast.pyotr.pk)
    assert bulk.counts(job) == (2, 0, 1)
    assert "not planned any more" in job.problems[0]["why"]
    day = timezone.localdate() + timedelta(days=9)
    job = bulk.done(sergei, VISITS, "visits.move", ids, day=day.isoformat())
    assert bulk.counts(job) == (2, 0, 1)
    reread(*planned, over)
    for visit in planned:
        assert visit.engineer_id == cast.pyotr.pk
        assert timezone.localtime(visit.scheduled_at).date() == day
        assert timezone.localtime(visit.scheduled_at).time() == timezone.localtime(at).time()
    job = bulk.done(sergei, VISITS, "visits.cancel", ids)
    assert bulk.counts(job) == (2, 0, 1)
    reread(*planned, over)
    assert [one.status for one in (*planned, over)] == ["CANCELLED", "CANCELLED", "DONE"]
    assert over.version == 1


def test_deleting_and_restoring(cast: Cast) -> None:
    homes = [cast.object() for _ in range(2)]
    flat = cast.unit(homes[0])
    sergei, anna = desk(cast.sergei), desk(cast.anna)
    ids = [one.pk for one in homes]
    job = bulk.done(sergei, OBJECTS, "objects.object.delete", ids)
    assert bulk.counts(job) == (2, 0, 0)
    assert not Object.objects.live().exists()
    assert sorted(entries(*homes, flat)) == [("delete", cast.sergei.pk)] * 3
    # Supervisors restore nothing: the action is not there for them.
    assert (
        "objects.object.restore" not in sergei.get(f"/admin/{OBJECTS}?deleted=1").content.decode()
    )
    answer = bulk.asked(sergei, f"{OBJECTS}?deleted=1", "objects.object.restore", ids)
    assert answer.status_code != 200
    job = bulk.done(anna, f"{OBJECTS}?deleted=1", "objects.object.restore", ids)
    assert bulk.counts(job) == (2, 0, 0)
    reread(flat)
    assert Object.objects.live().count() == 2
    assert not flat.is_deleted


# --- who may, and to what -------------------------------------------------------------------------


def test_nothing_outside_of_the_sight(cast: Cast) -> None:
    mine, theirs = cast.object(city=cast.kazan), cast.object()
    olga = desk(cast.olga)
    page = bulk.asked(olga, OBJECTS, "objects.status", [mine.pk, theirs.pk])
    text = page.content.decode()
    assert "1 record<" in text or "1 record\n" in text or ": 1 record" in text
    assert theirs.address not in text
    job = bulk.job_of(bulk.sent(olga, OBJECTS, page, status="DONE"))
    assert bulk.counts(job) == (1, 0, 0)
    reread(theirs)
    assert theirs.version == 1
    # All of them is all that she sees.
    job = bulk.done(olga, OBJECTS, "objects.status", status="CALLBACK")
    assert job.number == 1
    # Foreign people, and pages that were made for somebody else.
    page = bulk.asked(olga, OBJECTS, "objects.assign", [mine.pk])
    answer = bulk.sent(olga, OBJECTS, page, person=cast.ivan.pk)
    assert "office-error" in answer.content.decode()
    other = bulk.asked(desk(cast.sergei), OBJECTS, "objects.status", [theirs.pk])
    answer = bulk.sent(olga, OBJECTS, other, status="DONE")
    assert answer.status_code in {302, 400}
    reread(theirs)
    assert theirs.version == 1


def test_sight_is_that_of_the_moment(cast: Cast) -> None:
    """Chosen while she saw it; done when she does not any more."""
    from crm.backoffice.bulk import choice
    from crm.jobs.kinds import kind_of
    from crm.jobs.running import perform

    mine, theirs = cast.object(city=cast.kazan), cast.object()
    job = BulkJob.objects.create(
        owner=cast.olga, language="en", action="objects.status", number=2,
        params={"values": {"status": "DONE"}, "told": []},
        chosen=choice.packed({mine.pk: 1, theirs.pk: 1}),
    )  # fmt: skip
    perform(kind_of("backoffice.BulkJob"), job.pk)
    reread(job, theirs)
    assert bulk.counts(job) == (1, 0, 1)
    assert "no such record" in job.problems[0]["why"]
    assert theirs.version == 1
    page = desk(cast.olga).get(f"/admin/jobs/bulk/{job.pk}/").content.decode()
    assert theirs.address not in page


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "ENGINEER"}])
def test_a_role_that_is_gone(cast: Cast, change: dict[str, Any]) -> None:
    from crm.backoffice.bulk import choice
    from crm.jobs.kinds import kind_of
    from crm.jobs.running import perform

    home = cast.object()
    type(cast.sergei).objects.filter(pk=cast.sergei.pk).update(**change)
    job = BulkJob.objects.create(
        owner=cast.sergei, language="en", action="objects.status", number=1,
        params={"values": {"status": "DONE"}, "told": []}, chosen=choice.packed({home.pk: 1}),
    )  # fmt: skip
    perform(kind_of("backoffice.BulkJob"), job.pk)
    reread(job, home)
    assert job.status == "failed"
    assert "role" in job.error_message
    assert home.version == 1


def test_nobody_else_gets_in(cast: Cast) -> None:
    home = cast.object()
    for path in ("jobs/", "bulk/supervisors/", OBJECTS):
        answer = browser().get(f"/admin/{path}")
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]
    assert bulk.asked(browser(), OBJECTS, "objects.status", [home.pk]).status_code == 302


# --- two people at once ---------------------------------------------------------------------------


def test_what_somebody_changed_meanwhile_is_reported(cast: Cast) -> None:
    homes = [cast.object() for _ in range(4)]
    sergei = desk(cast.sergei)
    for ids in ([one.pk for one in homes], ()):
        Object.objects.update(status="NEW")
        page = bulk.asked(sergei, OBJECTS, "objects.status", ids)
        update_object(actor=cast.anna, record_id=homes[0].pk, changes={"status": "REJECTED"})
        update_object(actor=cast.anna, record_id=homes[1].pk, changes={"status": "DONE"})
        if ids:
            # Another field is no conflict.
            update_object(actor=cast.anna, record_id=homes[2].pk, changes={"tags": [f"{len(ids)}"]})
        job = bulk.job_of(bulk.sent(sergei, OBJECTS, page, status="DONE"))
        assert bulk.counts(job) == (2, 1, 1)
        assert job.problems == [
            {
                "id": str(homes[0].pk),
                "why": "Somebody changed this record in the meantime; it was left as it is.",
            }
        ]
        reread(*homes)
        assert [one.status for one in homes] == ["REJECTED", "DONE", "DONE", "DONE"]


def test_a_deletion_takes_no_newer_version(cast: Cast) -> None:
    home, other = cast.object(), cast.object()
    sergei = desk(cast.sergei)
    page = bulk.asked(sergei, OBJECTS, "objects.object.delete", [home.pk, other.pk])
    update_object(actor=cast.anna, record_id=home.pk, changes={"tags": ["новое"]})
    job = bulk.job_of(bulk.sent(sergei, OBJECTS, page))
    assert bulk.counts(job) == (1, 0, 1)
    reread(home)
    assert not home.is_deleted
