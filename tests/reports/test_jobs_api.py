"""reports/export and reports/jobs: who may ask for what, what is refused, and how a job is shown."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.utils import timezone
from redis import Redis
from rq import Queue

from reports.models import ReportJob
from tests.cast import Cast
from tests.contracts.counting import queries_of
from tests.contracts.envelope import invalid, refused
from tests.reports.asking import EXPORT, JOBS, asked

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "owner_id", "entity", "filters_json", "columns", "sort", "format", "raw", "status", "progress",
    "rows_total", "rows_done", "file_path", "file_size", "error_message", "created_at", "updated_at",
    "completed_at", "expires_at",
}  # fmt: skip


def test_a_new_job(cast: Cast, redis_url: str) -> None:
    body = {
        "entity": "visits",
        "filters": {
            "status": ["DONE", "PLANNED"],
            "date_from": "2026-01-01",
            "next_action_due": True,
        },
        "columns": ["scheduled_at", "status", "object"],
        "sort": {"status": "asc", "scheduled_at": "desc"},
        "format": "csv",
    }
    answer = cast.api(cast.sergei).post(EXPORT, body)
    job = answer.json()
    assert (answer.status_code, set(job)) == (201, FIELDS)
    assert (job["owner_id"], job["entity"], job["format"]) == (str(cast.sergei.pk), "visits", "csv")
    assert job["filters_json"] == {
        "status": "DONE,PLANNED", "date_from": "2026-01-01", "next_action_due": "true",
    }  # fmt: skip
    assert job["columns"] == ["scheduled_at", "status", "object"]
    assert list(job["sort"].items()) == [("status", "asc"), ("scheduled_at", "desc")]
    assert (job["status"], job["progress"], job["rows_total"], job["rows_done"]) == (
        "pending",
        0,
        None,
        0,
    )
    for name in ("file_path", "file_size", "error_message", "completed_at", "expires_at"):
        assert job[name] is None
    assert job["created_at"].endswith("Z")
    assert cast.api(cast.sergei).get(f"{JOBS}/{job['id']}").json() == job
    assert Queue("reports", connection=Redis.from_url(redis_url)).job_ids == [job["id"]]


def test_hardly_anything_need_be_said(cast: Cast) -> None:
    job = cast.api(cast.olga).post(EXPORT, {"entity": "units"}).json()
    assert (job["format"], job["filters_json"], job["sort"], job["raw"]) == ("xlsx", {}, {}, False)
    assert job["columns"]
    nulls = {"entity": "units", "filters": None, "columns": None, "sort": None}
    assert cast.api(cast.olga).post(EXPORT, nulls).json()["id"] == job["id"]


@pytest.mark.parametrize(
    ("sort", "shown"),
    [
        ("-updated_at,address", {"updated_at": "desc", "address": "asc"}),
        (" address", {"address": "asc"}),
        ({"address": "ASC"}, {"address": "asc"}),
        ({}, {}),
        ("", {}),
    ],
)
def test_the_order_is_said_in_either_way(cast: Cast, sort: Any, shown: dict[str, str]) -> None:
    job = cast.api(cast.anna).post(EXPORT, {"entity": "objects", "sort": sort}).json()
    assert list(job["sort"].items()) == list(shown.items())


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "entity"),
        ({"entity": "users"}, "entity"),
        ({"entity": ["objects"]}, "entity"),
        ({"columns": ["address", "nothing"]}, "columns"),
        ({"columns": "address"}, "columns"),
        ({"columns": [{"a": 1}]}, "columns.0"),
        ({"sort": "nothing"}, "sort"),
        ({"sort": {"nothing": "asc"}}, "sort"),
        ({"sort": {"address": "up"}}, "sort.address"),
        ({"sort": {"address": None}}, "sort.address"),
        ({"sort": 5}, "sort"),
        ({"sort": ["address"]}, "sort"),
        ({"sort": "distance_m"}, "sort"),
        ({"filters": []}, "filters"),
        ({"filters": {"nothing": "1"}}, "filters.nothing"),
        ({"filters": {"status": "NOTHING"}}, "filters.status"),
        ({"filters": {"status": {"a": 1}}}, "filters.status"),
        ({"filters": {"status": [["NEW"]]}}, "filters.status"),
        ({"filters": {"city_id": "moscow"}}, "filters.city_id"),
        ({"filters": {"updated_from": "yesterday"}}, "filters.updated_from"),
        ({"filters": {"radius": 100}}, "filters.radius"),
        ({"filters": {"deleted": "perhaps"}}, "filters.deleted"),
        ({"filters": {"status": "NEW", "filters[status]": "DONE"}}, "filters.status"),
        ({"filters": {"q": "x" * 9000}}, "filters.q"),
        # What a list takes besides its filters means nothing here.
        ({"filters": {"page": 2}}, "filters.page"),
        ({"filters": {"limit": 2}}, "filters.limit"),
        ({"filters": {"cursor": "a"}}, "filters.cursor"),
        ({"filters": {"sort": "address"}}, "filters.sort"),
        ({"filters": {"count": "exact"}}, "filters.count"),
        ({"format": "pdf"}, "format"),
        ({"raw": "yes"}, "raw"),
    ],
)
def test_everything_is_checked_at_once(cast: Cast, body: dict[str, Any], field: str) -> None:
    whole = body if not body or "entity" in body else {"entity": "objects", **body}
    sentence = invalid(cast.api(cast.anna).post(EXPORT, whole), field)
    if "nothing" in str(body):
        assert "address" in sentence or "status" in sentence
    assert ReportJob.objects.count() == 0


def test_filters_may_be_written_as_in_a_query(cast: Cast) -> None:
    filters = {
        "filters[status]": "NEW",
        "near": "55.75,37.61",
        "radius": 500,
        "q": "тверская",
        "tags": [],
    }
    job = cast.api(cast.anna).post(
        EXPORT, {"entity": "objects", "filters": filters, "sort": "distance_m"}
    )
    assert job.json()["filters_json"] == {
        "status": "NEW", "near": "55.75,37.61", "radius": "500", "q": "тверская",
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"7"])
def test_a_body_that_is_no_object(cast: Cast, body: bytes) -> None:
    answer = cast.api(cast.anna).post(EXPORT, body, content_type="application/json")
    assert answer.status_code == 422, answer.content


def test_deleted_records_are_for_administrators(cast: Cast) -> None:
    body = {"entity": "objects", "filters": {"deleted": True}}
    refused(cast.api(cast.sergei).post(EXPORT, body), 403)
    assert cast.api(cast.anna).post(EXPORT, body).status_code == 201


# --- the same request again -----------------------------------------------------------------------


def test_the_same_request_is_the_same_job(cast: Cast) -> None:
    sergei = cast.api(cast.sergei)
    one = {"entity": "objects", "filters": {"status": ["NEW"], "q": "а"}, "sort": "-updated_at"}
    same = {
        "sort": {"updated_at": "desc"}, "entity": "objects", "format": "xlsx", "raw": False,
        "filters": {"filters[q]": "а", "status": "NEW", "tags": ""},
    }  # fmt: skip
    first = sergei.post(EXPORT, one)
    again = sergei.post(EXPORT, same)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    others = [
        {**one, "format": "csv"}, {**one, "raw": True}, {**one, "columns": ["address"]},
        {**one, "sort": "updated_at"}, {**one, "filters": {"q": "а"}}, {"entity": "customers"},
    ]  # fmt: skip
    assert [sergei.post(EXPORT, other).status_code for other in others] == [201] * 6
    assert cast.api(cast.olga).post(EXPORT, one).status_code == 201
    assert cast.api(cast.sergei, **{"accept-language": "ru"}).post(EXPORT, one).status_code == 201
    # With another sight it is another file.
    cast.sergei.city = cast.kazan
    cast.sergei.save()
    assert sergei.post(EXPORT, one).status_code == 201


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
def test_what_has_ended_is_asked_for_anew(cast: Cast, status: str) -> None:
    job = asked(cast, cast.sergei)
    ReportJob.objects.update(status="processing")
    body = {"entity": "objects", "format": "csv"}
    assert cast.api(cast.sergei).post(EXPORT, body).json()["id"] == str(job.pk)
    ReportJob.objects.update(status=status)
    assert cast.api(cast.sergei).post(EXPORT, body).status_code == 201


def test_after_five_minutes_it_is_asked_for_anew(cast: Cast) -> None:
    with time_machine.travel("2026-05-01T10:00:00Z", tick=False) as clock:
        sergei = cast.api(cast.sergei)
        body = {"entity": "objects", "format": "csv"}
        first = sergei.post(EXPORT, body).json()["id"]
        clock.shift(timedelta(minutes=4, seconds=59))
        assert sergei.post(EXPORT, body).json()["id"] == first
        clock.shift(timedelta(seconds=1))
        second = sergei.post(EXPORT, body)
        assert (second.status_code, ReportJob.objects.count()) == (201, 2)
        assert sergei.post(EXPORT, body).json()["id"] == second.json()["id"] != first


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment(cast: Cast, run_together: Any) -> None:
    body = {"entity": "objects", "format": "csv"}
    clients = [cast.api(cast.sergei) for _ in range(6)]
    answers = run_together(*[lambda c=c: c.post(EXPORT, body) for c in clients])
    assert sorted(a.status_code for a in answers) == [200] * 5 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    assert ReportJob.objects.count() == 1


# --- the queue is away ----------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "word"), [("en", "queue"), ("ru", "чередь")])
def test_redis_is_away(cast: Cast, settings: Any, language: str, word: str) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = cast.api(cast.sergei, **{"accept-language": language}).post(
        EXPORT, {"entity": "objects"}
    )
    refused(answer, 503, "SERVICE_UNAVAILABLE")
    if language == "en":
        assert word in answer.json()["detail"]
    assert int(answer["Retry-After"]) > 0
    assert ReportJob.objects.count() == 0


# --- jobs -----------------------------------------------------------------------------------------


def test_ones_own_newest_first(cast: Cast) -> None:
    sergei, anna = cast.api(cast.sergei), cast.api(cast.anna)
    ids = [str(asked(cast, cast.sergei, sort=s).pk) for s in ("address", "-address", "status")]
    hers = str(asked(cast, cast.anna).pk)
    listed = sergei.get(JOBS).json()
    assert [job["id"] for job in listed] == ids[::-1]
    assert set(listed[0]) == FIELDS
    assert [job["id"] for job in anna.get(JOBS).json()] == [hers]
    assert [j["id"] for j in anna.get(JOBS, {"owner_id": cast.sergei.pk}).json()] == ids[::-1]
    both = f"{cast.sergei.pk},{cast.anna.pk}"
    assert len(anna.get(f"{JOBS}/", {"filters[owner_id]": both}).json()) == 4
    # A supervisor has only their own.
    assert sergei.get(JOBS, {"owner_id": cast.anna.pk}).json() == []
    assert len(sergei.get(JOBS, {"owner_id": both}).json()) == 3
    page = sergei.get(JOBS, {"page": 1, "limit": 2}).json()
    assert (page["total"], [job["id"] for job in page["items"]]) == (3, ids[:0:-1])
    assert len(sergei.get(JOBS, {"limit": 1}).json()) == 1


def test_the_list_is_narrowed(cast: Cast) -> None:
    job = asked(cast, cast.sergei)
    asked(cast, cast.sergei, entity="customers", format="xlsx")
    ReportJob.objects.filter(pk=job.pk).update(status="failed", error_message="Нет места.")
    sergei = cast.api(cast.sergei)
    for query in ({"status": "failed"}, {"entity": "objects"}, {"format": "csv"}):
        assert [one["id"] for one in sergei.get(JOBS, query).json()] == [str(job.pk)]
    assert sergei.get(JOBS, {"status": "failed"}).json()[0]["error_message"] == "Нет места."
    invalid(sergei.get(JOBS, {"status": "nothing"}), "status")
    invalid(sergei.get(JOBS, {"q": "x"}), "q")


def test_others_jobs_do_not_exist(cast: Cast) -> None:
    job = asked(cast, cast.sergei)
    for user, code in ((cast.sergei, 200), (cast.anna, 200), (cast.olga, 404)):
        assert cast.api(user).get(f"{JOBS}/{job.pk}").status_code == code
    for path, method in (("", "get"), ("/download", "get"), ("/cancel", "post")):
        refused(getattr(cast.api(cast.olga), method)(f"{JOBS}/{job.pk}{path}"), 404)
    refused(cast.api(cast.sergei).get(f"{JOBS}/nothing"), 404)
    assert ReportJob.objects.get().status == "pending"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "export"), ("post", "preview"), ("get", "columns?entity=objects"), ("get", "jobs"),
        ("get", "jobs/{}"), ("get", "jobs/{}/download"), ("post", "jobs/{}/cancel"),
    ],
)  # fmt: skip
def test_engineers_have_no_reports(cast: Cast, method: str, path: str) -> None:
    job = asked(cast, cast.anna)
    ReportJob.objects.update(owner=cast.ivan)
    url = f"/api/v1/reports/{path.format(job.pk)}"
    refused(getattr(cast.api(cast.ivan), method)(url, {"entity": "objects"}), 403)
    refused(getattr(cast.api(None), method)(url), 401)


def test_cancelling(cast: Cast) -> None:
    job = asked(cast, cast.sergei)
    sergei = cast.api(cast.sergei)
    answer = sergei.post(f"{JOBS}/{job.pk}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["completed_at"] is not None
    again = sergei.post(f"{JOBS}/{job.pk}/cancel/")
    assert refused(again, 409) == {"status": "cancelled"}
    theirs = asked(cast, cast.sergei)
    assert cast.api(cast.anna).post(f"{JOBS}/{theirs.pk}/cancel").status_code == 200
    for status in ("done", "failed"):
        ReportJob.objects.update(status=status)
        refused(sergei.post(f"{JOBS}/{job.pk}/cancel"), 409)


def test_ten_exports_in_five_minutes(cast: Cast, settings: Any) -> None:
    settings.RATE_LIMIT_ENABLED = True
    with time_machine.travel("2026-05-01T10:00:00Z", tick=False) as clock:
        sergei = cast.api(cast.sergei)
        body = {"entity": "objects"}
        codes = [sergei.post(EXPORT, body).status_code for _ in range(10)]
        assert codes == [201] + [200] * 9
        answer = sergei.post(EXPORT, body)
        refused(answer, 429, "RATE_LIMIT_EXCEEDED")
        assert int(answer["Retry-After"]) <= 300
        assert sergei.get(JOBS).status_code == 200
        assert cast.api(cast.anna).post(EXPORT, body).status_code == 201
        clock.shift(timedelta(minutes=5))
        assert sergei.post(EXPORT, body).status_code == 201


def test_asking_takes_no_look_at_the_rows(cast: Cast) -> None:
    """Session, the same request, the row between its savepoints: nothing of the objects is read."""
    api = cast.api(cast.sergei)
    with mock.patch("crm.jobs.queue.hand_over"):
        assert queries_of(lambda: api.post(EXPORT, {"entity": "objects"})) == 3
    assert queries_of(lambda: api.get(JOBS)) == 2
    job = ReportJob.objects.get()
    assert queries_of(lambda: api.get(f"{JOBS}/{job.pk}")) == 2
    assert job.created_at <= timezone.now()


# --- preview and columns --------------------------------------------------------------------------


def test_looking_before_exporting(cast: Cast) -> None:
    for n in range(5):
        cast.object(address=f"ул. Мира, д. {n}", status="INTEREST", contact_phone="+79990000001")
    cast.object(city=cast.kazan, address="ул. Баумана, д. 1")
    body = {
        "entity": "objects", "columns": ["address", "status", "contact_phone", "updated_at"],
        "sort": {"address": "desc"}, "limit": 2, "filters": {"status": "INTEREST"},
    }  # fmt: skip
    answer = cast.api(cast.sergei).post("/api/v1/reports/preview", body).json()
    assert (set(answer), answer["total"]) == ({"rows", "total", "columns"}, 5)
    assert [column["key"] for column in answer["columns"]] == body["columns"]
    assert [row["address"] for row in answer["rows"]] == ["ул. Мира, д. 4", "ул. Мира, д. 3"]
    row = answer["rows"][0]
    assert (row["status"], row["contact_phone"]) == ("In work", "+79990000001")
    listed = cast.api(cast.sergei).get("/api/v1/objects?sort=-address").json()["items"][0]
    assert row["updated_at"] == listed["updated_at"]
    raw = cast.api(cast.sergei).post("/api/v1/reports/preview", {**body, "raw": True}).json()
    assert (raw["rows"][0]["status"], raw["rows"][0]["updated_at"]) == (
        "INTEREST",
        row["updated_at"],
    )
    assert ReportJob.objects.count() == 0
    everything = cast.api(cast.olga).post("/api/v1/reports/preview", {"entity": "objects"}).json()
    assert [row["address"] for row in everything["rows"]] == ["ул. Баумана, д. 1"]


@pytest.mark.parametrize("limit", [0, 1001, "5", 1.5, True, -1])
def test_a_preview_has_its_limit(cast: Cast, limit: Any) -> None:
    body = {"entity": "objects", "limit": limit}
    invalid(cast.api(cast.anna).post("/api/v1/reports/preview", body), "limit")


def test_a_preview_refuses_what_an_export_does(cast: Cast) -> None:
    body = {"entity": "objects", "filters": {"nothing": 1}}
    invalid(cast.api(cast.anna).post("/api/v1/reports/preview", body), "filters.nothing")


@pytest.mark.parametrize("entity", ["objects", "units", "customers", "visits"])
def test_columns(cast: Cast, entity: str) -> None:
    answer = cast.api(cast.sergei).get("/api/v1/reports/columns", {"entity": entity})
    assert answer.status_code == 200
    columns = answer.json()
    assert all(set(one) == {"key", "label", "kind", "default"} for one in columns)
    assert any(one["default"] for one in columns)
    keys = [one["key"] for one in columns]
    job = asked(cast, cast.sergei, entity=entity, columns=keys)
    assert job.columns == keys


def test_columns_of_what(cast: Cast) -> None:
    anna = cast.api(cast.anna)
    invalid(anna.get("/api/v1/reports/columns"), "entity")
    invalid(anna.get("/api/v1/reports/columns?entity=users"), "entity")
    invalid(anna.get("/api/v1/reports/columns?entity=objects&page=1"), "page")
