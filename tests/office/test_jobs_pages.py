"""What runs in the background, as its owner and as administrators see it; every list as a file."""

import csv
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from crm.backoffice.models import BulkJob
from crm.jobs.kinds import kind_of
from crm.jobs.running import perform
from reports.models import ReportJob
from tests.cast import Cast
from tests.office.desk import desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reports_path")]


@pytest.fixture(autouse=True)
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are put, and done when a test says so."""
    from crm.jobs import queue

    def put(job: Any) -> None:
        job.remember_origin()
        queue.insert(job)

    monkeypatch.setattr(queue, "put", put)


def job_of(cast: Cast, **values: Any) -> ReportJob:
    defaults: dict[str, Any] = {
        "owner": cast.sergei, "language": "en", "entity": "objects", "format": "csv", "columns": ["address"],
    }  # fmt: skip
    made: ReportJob = ReportJob.objects.create(**{**defaults, **values})
    return made


def test_own_jobs_and_everybodys(cast: Cast) -> None:
    mine = job_of(cast)
    theirs = BulkJob.objects.create(
        owner=cast.olga, language="en", action="objects.status", number=7,
        params={"values": {}, "told": []}, status="failed", error_message="It broke.",
    )  # fmt: skip
    sergei = desk(cast.sergei).get("/admin/jobs/").content.decode()
    assert "Export: Objects, CSV" in sergei
    assert "7 records" not in sergei
    anna = desk(cast.anna)
    text = anna.get("/admin/jobs/").content.decode()
    assert "Export: Objects, CSV" in text
    assert "7 records" in text
    assert "It broke." in text
    assert cast.olga.full_name in text
    assert "7 records" not in anna.get("/admin/jobs/?kind=reports").content.decode()
    assert "Export: Objects" not in anna.get("/admin/jobs/?status=failed").content.decode()
    assert "7 records" not in anna.get("/admin/jobs/?whose=mine").content.decode()
    for junk in ("?p=zzz", "?p=-1", "?p=9999", "?status=x", "?kind=x"):
        assert anna.get(f"/admin/jobs/{junk}").status_code == 200
    for method, tail in (("get", ""), ("get", "state/"), ("post", "cancel/"), ("post", "again/")):
        assert (
            getattr(desk(cast.olga), method)(f"/admin/jobs/reports/{mine.pk}/{tail}").status_code
            == 404
        )
        assert (
            getattr(desk(cast.sergei), method)(f"/admin/jobs/bulk/{theirs.pk}/{tail}").status_code
            == 404
        )
    assert desk(cast.sergei).get(f"/admin/jobs/bulk/{theirs.pk}/problems.csv").status_code == 404
    assert desk(cast.olga).get(f"/admin/jobs/reports/{mine.pk}/download/").status_code == 404
    # An administrator looks and cancels, but a job is repeated only by its owner: it acts as them.
    assert anna.post(f"/admin/jobs/bulk/{theirs.pk}/again/").status_code == 404
    assert anna.get(f"/admin/jobs/nothing/{mine.pk}/").status_code == 404


def test_cancelling_and_trying_again(cast: Cast) -> None:
    job = job_of(cast)
    sergei = desk(cast.sergei)
    base = f"/admin/jobs/reports/{job.pk}/"
    assert sergei.get(f"{base}cancel/").status_code == 405
    assert sergei.post(f"{base}cancel/").status_code == 302
    job.refresh_from_db()
    assert job.status == "cancelled"
    text = sergei.get(base).content.decode()
    assert "Try again" in text
    answer = sergei.post(f"{base}again/")
    other = ReportJob.objects.exclude(pk=job.pk).get()
    assert answer["Location"] == f"/admin/jobs/reports/{other.pk}/"
    assert (other.columns, other.status) == (["address"], "pending")


def test_downloading(cast: Cast) -> None:
    cast.object(address="ул. Скачанная, д. 1")
    job = job_of(cast)
    sergei = desk(cast.sergei)
    base = f"/admin/jobs/reports/{job.pk}/"
    assert sergei.get(f"{base}download/").status_code == 409
    perform(kind_of("reports.ReportJob"), job.pk)
    text = sergei.get(base).content.decode()
    assert f"{base}download/" in text
    assert "1 record" in text
    answer = sergei.get(f"{base}download/")
    assert "Скачанная" in answer.getvalue().decode()
    ReportJob.objects.filter(pk=job.pk).update(expires_at=timezone.now())
    assert sergei.get(f"{base}download/").status_code == 410
    assert "is gone" in sergei.get(base).content.decode()


def test_only_administrators_see_the_queues(cast: Cast) -> None:
    assert desk(cast.sergei).get("/admin/queues/").status_code == 404
    assert desk(cast.sergei).post("/admin/queues/queues/0/empty/").status_code == 404
    assert "/admin/queues/" not in desk(cast.sergei).get("/admin/jobs/").content.decode()


@pytest.mark.redis
def test_the_queues(cast: Cast, settings: Any) -> None:
    if not settings.REDIS_URL:
        pytest.skip("There is no Redis.")
    anna = desk(cast.anna)
    answer = anna.get("/admin/queues/")
    assert answer.status_code == 200
    assert "reports" in answer.content.decode()
    assert anna.get("/admin/queues/queues/0/").status_code == 200


# --- exports --------------------------------------------------------------------------------------


def addresses(job: ReportJob) -> list[str]:
    """The first column of the file, sorted."""
    from django.conf import settings

    perform(kind_of("reports.ReportJob"), job.pk)
    job.refresh_from_db()
    assert job.status == "done", job.error_message
    text = (Path(settings.REPORTS_PATH) / str(job.file_path)).read_text(encoding="utf-8-sig")
    return sorted(row[0] for row in list(csv.reader(text.splitlines(), delimiter=";"))[1:])


def exported(
    cast: Cast, entity: str, query: str, user: Any = None, column: str = "id"
) -> list[str]:
    client = desk(user or cast.sergei)
    url = f"/admin/export/{entity}/?{query}"
    page = client.get(url)
    assert page.status_code == 200, page.content.decode()
    answer = client.post(url, {"format": "csv", "columns": [column]})
    assert answer.status_code == 302, answer.content.decode()
    pk = UUID(answer["Location"].rstrip("/").rpartition("/")[2])
    return addresses(ReportJob.objects.get(pk=pk))


def listed(cast: Cast, path: str, query: str, user: Any = None) -> list[str]:
    """The ids of the rows that the list shows."""
    import re

    text = desk(user or cast.sergei).get(f"/admin/{path}/?{query}").content.decode()
    return sorted(set(re.findall(r'name="_selected_action" value="([0-9a-f-]{36})"', text)))


def test_a_file_has_the_rows_of_the_list(cast: Cast) -> None:
    old = cast.object(address="ул. Старая, д. 1", status="DONE", responsible_user=cast.ivan)
    new = cast.object(address="ул. Новая, д. 2", gps_lat=55.0, gps_lng=37.0)
    cast.object(city=cast.kazan, address="ул. Чужая, д. 3")
    cast.visit(old, cast.ivan, status="DONE", outcome_text="Да", scheduled_at=timezone.now())
    missed = cast.visit(new, cast.pyotr, scheduled_at=timezone.now() - timezone.timedelta(days=2))
    missed.next_action_due_at = timezone.now() + timezone.timedelta(days=3)
    missed.save()
    cast.customer(new, full_name="Анна", satisfied=True, provider_rating=4)
    cast.customer(new, full_name="Вера", satisfied=None)
    cast.customer(new, full_name="Глеб", satisfied=False, gdpr_consent=True, interests=["TV"])
    cast.unit(new)
    today = timezone.localdate().isoformat()
    cases = [
        ("objects", "objects/object", [
            "", "status=DONE", "responsible=none", f"responsible={cast.ivan.pk}", "unvisited=7",
            "unvisited=never", "located=yes", "located=no", "q=новая", f"city={cast.kazan.pk}",
            f"district={cast.centre.pk}&status=NEW", "o=7", "type=MKD&q=стар",
        ]),
        ("visits", "visits/visit", [
            "", "when=today", "when=missed", "when=week", "when=tomorrow", "status=DONE", "callback=coming",
            "callback=overdue", f"engineer={cast.pyotr.pk}", f"day_from={today}", f"day_to={today}",
            f"when=missed&day_from={today}", f"object={old.pk}", "q=новая",
        ]),
        ("customers", "clients/customer", [
            "", "satisfied=yes", "satisfied=no", "consent=yes", "consent=no", "rating=4", "interest=TV",
            "q=вера", f"object={new.pk}",
        ]),
        ("units", "objects/unit", ["", "q=новая", "q=старая", f"object={old.pk}"]),
    ]  # fmt: skip
    met = 0
    for entity, path, queries in cases:
        for query in queries:
            rows = listed(cast, path, query)
            met += bool(rows)
            assert exported(cast, entity, query) == rows, (entity, query)
    assert met > 25


def test_exports_of_the_deleted_are_for_administrators(cast: Cast) -> None:
    home = cast.object(deleted_at=timezone.now())
    assert exported(cast, "objects", "deleted=1", cast.anna) == [str(home.pk)]
    # For others the parameter means nothing, in the list as in the file.
    alive = cast.object()
    assert listed(cast, "objects/object", "deleted=1") == [str(alive.pk)]
    assert exported(cast, "objects", "deleted=1") == [str(alive.pk)]


def test_what_no_list_knows_is_refused(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    for query in ("rubbish=1", "password__startswith=a", "status=BAD", "district=x"):
        assert sergei.get(f"/admin/export/objects/?{query}").status_code == 422, query
    assert sergei.get("/admin/export/people/").status_code == 404
    assert sergei.get("/admin/export/visits/?when=missed&status=DONE").status_code == 422
