"""What a file holds: exactly the rows of the list, of one moment, as its owner sees them."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone

from audit.models import AuditEntry
from crm.db.positions import horizon_sql
from crm.jobs.kinds import kind_of
from crm.jobs.running import perform
from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object
from reports import exporting
from reports.models import ReportJob
from tests.cast import Cast
from tests.contracts.envelope import refused
from tests.reports.asking import JOBS, KIND, asked, content, done, rows_of_csv, rows_of_xlsx

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reports_path")]

ENTITIES = ("objects", "units", "customers", "visits")
PEOPLE = ("anna", "sergei", "olga", "ivan")
PHONES = {"customers": "phone", "objects": "contact_phone", "visits": "customer_phone"}


@pytest.fixture
def company(cast: Cast) -> Cast:
    """Something of everything, in every territory, some of it deleted."""
    places = [(cast.moscow, cast.centre), (cast.moscow, cast.north), (cast.kazan, cast.vakhitovsky)]
    people = [cast.ivan, cast.pyotr, cast.timur]
    for n, ((city, district), engineer) in enumerate(zip(places * 2, people * 2, strict=True)):
        home = cast.object(
            city=city, district=district, contact_phone=f"+7916000{n:04d}",
            status="INTEREST" if n % 2 else "NEW", tags=["=1+1", "центр"],
        )  # fmt: skip
        unit = cast.unit(home)
        customer = cast.customer(home, unit=unit, interests=["TV"])
        cast.visit(home, engineer, customer=customer, unit=unit)
        cast.visit(home, cast.ivan)
    gone = cast.object(contact_name="gone")
    Object.objects.filter(pk=gone.pk).update(deleted_at=timezone.now(), deletion_id=uuid4())
    return cast


def written(cast: Cast, user: User, **body: Any) -> list[list[Any]]:
    """The rows of a file that is written for that person; engineers ask while they still may."""
    role = user.role
    if role == Role.ENGINEER:
        User.objects.filter(pk=user.pk).update(role=Role.SUPERVISOR)
    job = asked(cast, User.objects.get(pk=user.pk), **body)
    User.objects.filter(pk=user.pk).update(role=role)
    done(job)
    answer = cast.api(cast.anna).get(f"{JOBS}/{job.pk}/download")
    read = rows_of_xlsx if job.format == "xlsx" else rows_of_csv
    return read(content(answer))


def listed(cast: Cast, user: User, entity: str, **query: Any) -> list[dict[str, Any]]:
    """The rows of the list."""
    answer = cast.api(user).get(f"/api/v1/{entity}", {"limit": 1000, **query})
    assert answer.status_code == 200, answer.content
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("entity", ENTITIES)
def test_the_file_holds_the_rows_of_the_list(company: Cast, entity: str, name: str) -> None:
    user = getattr(company, name)
    keys = ["id", *([PHONES[entity]] if entity in PHONES else [])]
    for format_ in ("csv", "xlsx"):
        header, *rows = written(
            company, user, entity=entity, columns=keys, format=format_, raw=True
        )
        expected = listed(company, user, entity)
        assert header == keys
        assert [row[0] for row in rows] == [item["id"] for item in expected]
        assert rows
        if entity in PHONES:
            shown = [phone_of(item, entity) for item in expected]
            assert [phone_in(row[1]) for row in rows] == shown
            assert any(shown)
            # A visit need not have a customer.
            assert {"*" in phone for phone in shown if phone} == {name == "ivan"}


def phone_of(item: dict[str, Any], entity: str) -> str:
    phone = (item["customer"] or {}).get("phone") if entity == "visits" else item[PHONES[entity]]
    return phone or ""


def phone_in(cell: Any) -> str:
    """A cell's phone, without the apostrophe that keeps it from being a formula."""
    return str(cell or "").removeprefix("'")


@pytest.mark.parametrize(
    ("entity", "filters", "sort"),
    [
        ("objects", {"status": "INTEREST"}, "-address"),
        ("objects", {"q": "тверская", "has_gps": "false"}, "city,address"),
        ("objects", {"tags": "центр"}, "visits_count,-created_at"),
        ("objects", {"deleted": "true"}, ""),
        ("customers", {"interests": "TV,INTERNET"}, "-full_name"),
        ("customers", {"phone": "+79990000003"}, ""),
        ("visits", {"status": "PLANNED", "date_from": "2026-01-01"}, "engineer,scheduled_at"),
        ("units", {"unit_number": "2,6"}, "unit_number"),
    ],
)
def test_filters_and_order_are_the_lists(
    company: Cast, entity: str, filters: dict[str, str], sort: str
) -> None:
    _header, *rows = written(
        company, company.anna, entity=entity, columns=["id"], filters=filters, sort=sort, raw=True
    )
    query = {**filters, **({"sort": sort} if sort else {})}
    assert [row[0] for row in rows] == [
        item["id"] for item in listed(company, company.anna, entity, **query)
    ]


def test_it_speaks_the_owners_language(company: Cast) -> None:
    body = {"entity": "objects", "columns": ["address", "status"], "format": "csv"}
    files = {}
    for language in ("ru", "en"):
        api = company.api(company.sergei, **{"accept-language": language})
        job = done(ReportJob.objects.get(pk=api.post("/api/v1/reports/export", body).json()["id"]))
        answer = api.get(f"{JOBS}/{job.pk}/download")
        files[language] = content(answer).decode("utf-8-sig"), answer["Content-Disposition"]
    assert "В работе" in files["ru"][0]
    assert "In work" in files["en"][0]
    assert "INTEREST" not in files["ru"][0] + files["en"][0]
    assert "filename*=UTF-8''%D0%9E%D0%B1%D1%8A%D0%B5%D0%BA%D1%82%D1%8B%20" in files["ru"][1]
    assert "filename*=UTF-8''Objects%20" in files["en"][1]


def test_the_owner_as_they_are_when_it_runs(company: Cast) -> None:
    job = asked(company, company.sergei, columns=["id"], raw=True)
    User.objects.filter(pk=company.sergei.pk).update(city=company.kazan)
    done(job)
    rows = rows_of_csv(content(company.api(company.anna).get(f"{JOBS}/{job.pk}/download")))[1:]
    company.sergei.refresh_from_db()
    assert [row[0] for row in rows] == [
        item["id"] for item in listed(company, company.sergei, "objects")
    ]
    assert job.rows_done == len(rows) == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_active": False}, "not active"),
        ({"role": "SUPERVISOR"}, "administrators"),
        ({"role": "ENGINEER"}, "administrators"),
    ],
)
def test_an_owner_who_may_no_longer(company: Cast, change: dict[str, Any], sentence: str) -> None:
    job = asked(company, company.anna, filters={"deleted": True})
    User.objects.filter(pk=company.anna.pk).update(**change)
    assert perform(kind_of(KIND), job.pk) is None
    job.refresh_from_db()
    assert (job.status, job.attempts, job.file_path) == ("failed", 1, None)
    assert sentence in job.error_message


# --- one moment -----------------------------------------------------------------------------------


def slowed(monkeypatch: pytest.MonkeyPatch, between: Callable[[int], None]) -> None:
    """Call `between` after each row that goes into the file."""
    stream = exporting.stream

    def rows(*arguments: Any, **named: Any) -> Iterator[Any]:
        for number, row in enumerate(stream(*arguments, **named)):
            between(number)
            yield row

    monkeypatch.setattr(exporting, "stream", rows)


def in_a_thread(function: Callable[[], Any]) -> None:
    """Run it over a connection of its own, and wait."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "the writer was kept out"
    assert not raised, raised


def test_an_export_is_of_one_moment(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows change, come and go while it is written: the file tells of none of that."""
    count = 5000
    Object.objects.bulk_create(
        [Object(type="MKD", address=f"дом номер {n:05d}", city=cast.moscow) for n in range(count)]
    )
    wrote: list[int] = []

    def meanwhile(number: int) -> None:
        if number in (0, 2500, 4500):
            in_a_thread(write)

    def write() -> None:
        Object.objects.filter(address__startswith="дом номер 049").update(status="DONE")
        Object.objects.create(type="MKD", address=f"дом новый {len(wrote)}", city=cast.moscow)
        gone = Object.objects.filter(address__startswith="дом номер 0480", deleted_at=None)[:1]
        Object.objects.filter(pk__in=[one.pk for one in gone]).update(
            deleted_at=timezone.now(), deletion_id=uuid4()
        )
        wrote.append(1)

    slowed(monkeypatch, meanwhile)
    job = asked(cast, cast.sergei, columns=["address", "status"], sort="address", raw=True)
    done(job)
    rows = rows_of_csv(content(cast.api(cast.sergei).get(f"{JOBS}/{job.pk}/download")))[1:]
    assert len(wrote) == 3
    assert Object.objects.filter(status="DONE").count() == 100
    assert rows == [[f"дом номер {n:05d}", "NEW"] for n in range(count)]
    assert (job.rows_done, job.rows_total) == (count, count)


def test_an_export_does_not_hold_the_feed_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Phones get what is written while a long export runs."""
    for n in range(3):
        cast.object(address=f"дом номер {n}")
    seen: list[bool] = []

    def look() -> None:
        # Long enough for progress to be written, too.
        time.sleep(0.7)
        made = Object.objects.create(type="MKD", address="дом новый", city=cast.moscow)
        made.refresh_from_db()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {horizon_sql(connection)}")
            seen.append(made.feed_position < cursor.fetchone()[0])

    def meanwhile(number: int) -> None:
        if number == 1:
            in_a_thread(look)

    slowed(monkeypatch, meanwhile)
    job = done(asked(cast, cast.sergei))
    assert seen == [True]
    assert job.rows_done == 3


# --- the trail ------------------------------------------------------------------------------------


def test_a_finished_export_is_told(company: Cast) -> None:
    api = company.api(company.sergei)
    body = {
        "entity": "customers", "format": "csv", "columns": ["full_name", "phone"], "sort": "-full_name",
        "filters": {"q": "8 (999) 123-45-67", "phone": "+79991234567", "date": None},
    }  # fmt: skip
    answer = api.post(
        "/api/v1/reports/export", body, headers={"x-request-id": "r-77", "user-agent": "walker/1"}
    )
    job = ReportJob.objects.get(pk=answer.json()["id"])
    assert not AuditEntry.objects.filter(action="export").exists()
    done(job)
    entry = AuditEntry.objects.get(action="export")
    assert (entry.entity_type, entry.entity_id, entry.city_id) == (
        "report",
        job.pk,
        company.moscow.pk,
    )
    assert (entry.actor_id, entry.cid, entry.user_agent) == (company.sergei.pk, "r-77", "walker/1")
    assert entry.after == {
        "entity": "customers", "format": "csv", "columns": ["full_name", "phone"],
        "filters": {"q": "***", "phone": "+7 (***) ***-**67"}, "sort": {"full_name": "desc"},
        "raw": False, "rows": 0, "file_size": job.file_size,
    }  # fmt: skip
    told = api.get("/api/v1/audit", {"entity_type": "reports", "action": "EXPORT"}).json()
    assert [one["entity_id"] for one in told["items"]] == [str(job.pk)]
    assert company.api(company.olga).get("/api/v1/audit?action=export").json()["total"] == 0


# --- download -------------------------------------------------------------------------------------


def test_downloading(company: Cast) -> None:
    with time_machine.travel("2026-05-01T20:30:00Z", tick=True) as clock:
        for format_, media in (
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("csv", "text/csv; charset=utf-8"),
        ):
            job = asked(company, company.sergei, format=format_)
            sergei = company.api(company.sergei)
            assert refused(sergei.get(f"{JOBS}/{job.pk}/download"), 409) == {"status": "pending"}
            done(job)
            shown = sergei.get(f"{JOBS}/{job.pk}").json()
            assert (shown["status"], shown["progress"], shown["rows_done"]) == ("done", 100, 4)
            assert shown["file_path"].startswith("exports/")
            answer = sergei.get(f"{JOBS}/{job.pk}/download/")
            data = content(answer)
            assert len(data) == shown["file_size"] == job.file_size
            assert (answer["Content-Type"], answer["Cache-Control"]) == (media, "private, no-store")
            # Moscow's evening.
            assert f'filename="objects-2026-05-01-23-30.{format_}"' in answer["Content-Disposition"]
            assert company.api(company.anna).get(f"{JOBS}/{job.pk}/download").status_code == 200
            head = sergei.head(f"{JOBS}/{job.pk}/download")
            assert (head.status_code, head["Content-Length"]) == (200, str(len(data)))
        clock.shift(7 * 24 * 3600 - 60)
        assert company.api(company.anna).get(f"{JOBS}/{job.pk}/download").status_code == 200
        clock.shift(120)
        refused(company.api(company.anna).get(f"{JOBS}/{job.pk}/download"), 410, "REPORT_EXPIRED")


@pytest.mark.parametrize("status", ["processing", "failed", "cancelled"])
def test_there_is_no_file(cast: Cast, status: str) -> None:
    job = asked(cast, cast.sergei)
    ReportJob.objects.update(status=status)
    answer = cast.api(cast.sergei).get(f"{JOBS}/{job.pk}/download")
    assert refused(answer, 409) == {"status": status}


def test_somebody_removed_the_file(cast: Cast, reports_path: Path) -> None:
    job = done(asked(cast, cast.sergei))
    (reports_path / job.file_path).unlink()
    refused(cast.api(cast.sergei).get(f"{JOBS}/{job.pk}/download"), 410, "REPORT_EXPIRED")


@pytest.mark.parametrize("change", ["territory", "role"])
def test_a_file_is_for_the_sight_that_it_was_made_with(cast: Cast, change: str) -> None:
    """Moved to another city, nobody fetches what they no longer may see."""
    job = done(asked(cast, cast.sergei))
    api = cast.api(cast.sergei)
    assert api.get(f"{JOBS}/{job.pk}/download").status_code == 200
    moved = {"city": cast.kazan} if change == "territory" else {"role": Role.ENGINEER}
    User.objects.filter(pk=cast.sergei.pk).update(**moved)
    answer = api.get(f"{JOBS}/{job.pk}/download")
    refused(answer, *((410, "REPORT_EXPIRED") if change == "territory" else (403,)))
    User.objects.filter(pk=cast.sergei.pk).update(role=Role.ADMIN)
    assert api.get(f"{JOBS}/{job.pk}/download").status_code == 200
