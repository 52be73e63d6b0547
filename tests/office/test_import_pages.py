"""Imports through the back office: columns, check, run, report; who sees what; broken files."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from clients.models import Customer
from crm.backoffice.imports import steps
from crm.backoffice.imports.cleanup import clean_up
from crm.backoffice.imports.models import ImportJob, Part, Upload
from crm.backoffice.imports.work import Diary
from crm.jobs import inprocess
from crm.jobs.kinds import kind_of
from crm.jobs.models import JobStatus
from crm.jobs.running import cancel, perform
from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object
from tests.cast import Cast
from tests.office.desk import browser, desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reports_path")]

BASE = "/admin/imports/"
OBJECTS = """Адрес;Город;Статус;Примечание
ул. Мира, д. 1;Москва;Новый;первая
ул. Мира, д. 2;Москва;ерунда;вторая
;Москва;;третья
ул. Тверская, д. 1;Москва;DONE;четвёртая
"""


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait until the test does them, however small they are."""
    monkeypatch.setattr(steps, "AT_ONCE", -1)
    monkeypatch.setattr(inprocess, "wake", lambda: None)


def upload(
    client: Client, content: str | bytes, *, kind: str = "objects", name: str = "a.csv"
) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post(BASE, {"kind": kind, "file": SimpleUploadedFile(name, raw)})


def brought(client: Client, content: str | bytes, **more: Any) -> str:
    """The address of an import whose columns are to be chosen."""
    answer = upload(client, content, **more)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"]).removesuffix("columns/")


def chosen(client: Client, url: str, **more: str) -> dict[str, str]:
    """The form of the columns as it stands."""
    page = client.get(f"{url}columns/").content.decode()
    data = {"header_line": field(page, "header_line"), "sheet": ""}
    for name, options in re.findall(
        r'<select[^>]*name="([\w-]+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        selected = re.search(r'value="([^"]*)" selected', options)
        data[name] = selected[1] if selected else ""
    return data | more


def field(page: str, name: str) -> str:
    found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def checked(client: Client, content: str | bytes, **more: Any) -> str:
    """The address of a checked import."""
    url = brought(client, content, **more)
    answer = client.post(f"{url}columns/", chosen(client, url))
    assert answer.status_code == 302, answer.content.decode()
    return url


def told(client: Client, url: str, query: str = "") -> str:
    answer = client.get(f"{url}{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_columns_are_guessed_and_can_be_corrected(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    url = brought(sergei, OBJECTS)
    page = told(sergei, f"{url}columns/")
    form = chosen(sergei, url)
    assert form["column-0"] == "address"
    assert form["column-1"] == "city"
    assert "ул. Мира, д. 1" in page
    assert "1 column is left out" in page
    answer = sergei.post(f"{url}columns/", form | {"column-0": ""})
    assert answer.status_code == 422
    assert "No column holds: address" in answer.content.decode()
    answer = sergei.post(f"{url}columns/", form | {"column-3": "address"})
    assert answer.status_code == 422
    answer = sergei.post(f"{url}columns/", form | {"column-3": "nonsense"})
    assert answer.status_code == 422
    assert not ImportJob.objects.exists()


def test_another_sheet_and_another_line_of_headings(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    url = brought(sergei, "Отчёт\nза год\nАдрес;Город\nул. Мира, д. 1;Москва\n")
    assert chosen(sergei, url)["header_line"] == "3"
    page = told(sergei, f"{url}columns/", "?header_line=4")
    assert field(page, "header_line") == "4"
    for wrong in ("0", "-1", "x", "99", "9" * 30):
        answer = sergei.get(f"{url}columns/?header_line={wrong}")
        assert answer.status_code == 422, wrong
    assert sergei.get(f"{url}columns/?sheet=Нет").status_code in {200, 422}


def test_a_check_tells_everything_and_writes_nothing(cast: Cast) -> None:
    old = cast.object(address="ул. Тверская, д. 1", status="NEW")
    sergei = desk(cast.sergei)
    url = checked(sergei, OBJECTS)
    page = told(sergei, url)
    assert "Nothing is written yet. The import would write 2 records." in page
    assert Object.objects.count() == 1
    assert not AuditEntry.objects.filter(entity_type="object").exists()
    wrong = told(sergei, url, "?outcome=problem")
    assert wrong.count('class="office-number"') == 2
    assert re.search(r'office-number">3</td>.*ерунда', wrong)
    assert 'office-number">4</td>' in wrong
    changes = told(sergei, url, "?outcome=update")
    assert f"/admin/objects/object/{old.pk}/change/" in changes
    assert "<del>new</del>" in changes
    assert re.search(r"<ins>\w+</ins>", changes)


def test_the_run_writes_tells_and_reports(cast: Cast) -> None:
    old = cast.object(address="ул. Тверская, д. 1", status="NEW")
    sergei = desk(cast.sergei)
    url = checked(sergei, OBJECTS)
    answer = sergei.post(f"{url}run/", headers={"x-request-id": "the-import"})
    assert answer.status_code == 302
    page = told(sergei, url)
    assert "2 records written." in page
    new = Object.objects.get(address="ул. Мира, д. 1")
    old.refresh_from_db()
    assert (old.status, old.version) == ("DONE", 2)
    entries = AuditEntry.objects.filter(entity_type="object", cid="the-import")
    assert {(one.entity_id, one.action, one.actor_id) for one in entries} == {
        (old.pk, "update", cast.sergei.pk),
        (new.pk, "create", cast.sergei.pk),
    }
    report = b"".join(sergei.get(f"{url}rows.csv?outcome=problem").streaming_content).decode(
        "utf-8-sig"
    )
    assert report.splitlines()[0].endswith("Адрес;Город;Статус;Примечание")
    assert "вторая" in report
    assert "четвёртая" not in report
    everything = b"".join(sergei.get(f"{url}rows.csv").streaming_content).decode("utf-8-sig")
    assert len(list(csv.reader(StringIO(everything), delimiter=";"))) == 5
    # Once is enough.
    sergei.post(f"{url}run/")
    assert ImportJob.objects.filter(stage="run").count() == 1


def test_customers(cast: Cast) -> None:
    cast.object(address="ул. Тверская, д. 1")
    sergei = desk(cast.sergei)
    url = checked(
        sergei,
        "Адрес;Кв.;ФИО;Телефон\nул. Тверская, д. 1;12;Мария Петрова;8 999 123-45-67\n",
        kind="customers",
    )
    sergei.post(f"{url}run/")
    assert Customer.objects.get().phone == "+79991234567"
    assert "1 flat is new." in told(sergei, url)


def test_what_changed_since_the_check_is_not_overwritten(cast: Cast) -> None:
    old = cast.object(address="ул. Тверская, д. 1", status="NEW")
    sergei = desk(cast.sergei)
    url = checked(sergei, OBJECTS)
    api = cast.api(cast.ivan)
    api.patch(f"/api/v1/objects/{old.pk}", {"status": "INTEREST", "version": 1})
    sergei.post(f"{url}run/")
    old.refresh_from_db()
    assert old.status == "INTEREST"
    assert "Somebody changed this record since the check" in told(sergei, url, "?outcome=problem")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"PK\x03\x04 not really"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
        ("a.csv", b""),
        ("a.csv", b"\n\n\n"),
        ("a.csv", b"\x00\x01\x02\xff" * 50),
        ("a.gz", b"\x1f\x8b\x08\x00broken"),
    ],
)
def test_a_broken_file_is_a_sentence_on_the_page(cast: Cast, name: str, content: bytes) -> None:
    answer = upload(desk(cast.sergei), content, name=name)
    assert answer.status_code == 422
    assert "The file was not taken." in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_file_that_is_damaged_further_down(cast: Cast) -> None:
    """The beginning is read at once, the rest by the check."""
    sergei = desk(cast.sergei)
    rows = "".join(f"ул. Мира, д. {n};Москва\n" for n in range(300))
    url = checked(sergei, ("Адрес;Город\n" + rows).encode() + b'"never ends')
    inprocess.do_everything_due()
    page = told(sergei, url)
    job = ImportJob.objects.get()
    if job.status == JobStatus.FAILED:
        assert job.error_message
        assert job.error_message in page.replace("&quot;", '"')
    assert sergei.post(f"{url}run/").status_code == 302
    assert job.status == JobStatus.FAILED or Object.objects.exists()


def test_no_file_no_kind(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    assert sergei.post(BASE, {"kind": "objects"}).status_code == 422
    assert upload(sergei, OBJECTS, kind="engineers").status_code == 422


def test_only_the_owner_and_administrators_see_an_import(cast: Cast) -> None:
    sergei, anna, olga = desk(cast.sergei), desk(cast.anna), desk(cast.olga)
    url = checked(sergei, OBJECTS)
    assert "a.csv" in told(anna, BASE)
    assert "Сергей" in told(anna, url)
    assert "a.csv" not in told(olga, BASE)
    for address in (url, f"{url}columns/", f"{url}rows.csv", f"{BASE}{uuid4()}/"):
        assert olga.get(address).status_code == 404, address
    for door in ("columns/", "run/", "cancel/", "discard/"):
        assert olga.post(f"{url}{door}").status_code == 404, door
    # It is done with its owner's eyes, so nobody else does it.
    assert anna.post(f"{url}columns/", {"header_line": "1"}).status_code == 403
    anna.post(f"{url}run/")
    assert not Object.objects.exists()


def test_engineers_and_strangers_have_no_way_in(cast: Cast) -> None:
    url = brought(desk(cast.sergei), OBJECTS)
    cast.sergei.role = Role.ENGINEER
    cast.sergei.save(update_fields=["role"])
    for client in (browser(),):
        for address in (BASE, url, f"{url}columns/", f"{url}rows.csv"):
            assert client.get(address).status_code == 302
        assert upload(client, OBJECTS).status_code == 302
    assert Upload.objects.count() == 1


def test_a_supervisor_imports_into_their_own_city(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    url = checked(sergei, "Адрес;Город\nул. Баумана, д. 1;Казань\n")
    sergei.post(f"{url}run/")
    assert not Object.objects.exists()
    assert "1" in told(sergei, url, "?outcome=problem")
    # A city in the form that is not theirs is refused; theirs is taken of itself.
    url = brought(sergei, "Адрес\nул. Мира, д. 1\n")
    form = chosen(sergei, url)
    assert sergei.post(f"{url}columns/", form | {"city": str(cast.kazan.pk)}).status_code == 422
    assert sergei.post(f"{url}columns/", form).status_code == 302
    sergei.post(f"{url}run/")
    assert Object.objects.get().city_id == cast.moscow.pk


def test_rows_are_hidden_when_the_territory_changes(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    url = checked(sergei, OBJECTS)
    assert "ул. Мира" in told(sergei, url)
    User.objects.filter(pk=cast.sergei.pk).update(city=cast.kazan)
    assert "ул. Мира" not in told(sergei, url)
    assert sergei.get(f"{url}rows.csv").status_code == 404


LONG = "Адрес;Город\n" + "".join(f"ул. Мира, д. {n};Москва\n" for n in range(1, 701))


@pytest.mark.usefixtures("later")
def test_a_large_file_is_a_job_that_can_be_stopped_and_goes_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sergei = desk(cast.sergei)
    url = checked(sergei, LONG)
    assert "The file is being checked" in told(sergei, url)
    assert sergei.post(f"{url}run/").status_code == 302
    assert ImportJob.objects.count() == 1
    do_due()
    assert "700 records" in told(sergei, url)
    sergei.post(f"{url}run/")
    job = ImportJob.objects.get(stage="run")
    tell = Diary.tell

    def tell_and_cancel(diary: Diary, rows: int) -> None:
        tell(diary, rows)
        cancel(ImportJob.objects.get(pk=job.pk))

    # The next batch is written, and taken back.
    monkeypatch.setattr(Diary, "tell", tell_and_cancel)
    do_due()
    monkeypatch.undo()
    page = told(sergei, url)
    assert Object.objects.count() == 250
    assert "250 records written." in page
    assert "Not all rows have been imported." in page
    monkeypatch.setattr(inprocess, "wake", lambda: None)
    monkeypatch.setattr(steps, "AT_ONCE", -1)
    sergei.post(f"{url}run/")
    do_due()
    assert "700 records written." in told(sergei, url)
    assert Object.objects.count() == 700
    assert AuditEntry.objects.filter(entity_type="object").count() == 700
    last = told(sergei, url, "?outcome=create&page=14")
    assert 'office-number">701</td>' in last
    assert sergei.get(f"{url}?outcome=create&page=99999999999").status_code == 200


@pytest.mark.usefixtures("later")
def test_a_run_that_was_killed_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is gone in the middle of the second batch: nobody gave the job back."""
    sergei = desk(cast.sergei)
    url = checked(sergei, LONG)
    do_due()
    sergei.post(f"{url}run/")
    job = ImportJob.objects.get(stage="run")

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    with monkeypatch.context() as patch:
        stop_in(patch, 2, die)
        with pytest.raises(Killed):
            perform(kind_of("imports.ImportJob"), job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.PROCESSING
    assert Object.objects.count() == job.totals["create"] == 250
    # What a person changes now is not what the file says, and stays.
    first = Object.objects.get(address="ул. Мира, д. 1")
    cast.api(cast.sergei).patch(f"/api/v1/objects/{first.pk}", {"address": "ул. Мира, д. 1а"})
    ImportJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    perform(kind_of("imports.ImportJob"), job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == (JobStatus.DONE, 2)
    assert Object.objects.count() == 700
    assert job.totals["create"] == job.totals["rows"] == 700
    assert "700 records written." in told(sergei, url)
    first.refresh_from_db()
    assert first.address == "ул. Мира, д. 1а"


@pytest.mark.usefixtures("later")
def test_two_runs_at_once_are_one(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    url = checked(sergei, LONG)
    do_due()
    sergei.post(f"{url}run/")
    sergei.post(f"{url}run/")
    assert ImportJob.objects.filter(stage="run").count() == 1
    sergei.post(f"{url}cancel/")
    assert not Object.objects.exists()
    assert "stopped" in told(sergei, url)


@pytest.mark.usefixtures("later")
def test_whoever_loses_their_desk_imports_no_further(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    url = checked(sergei, LONG)
    do_due()
    sergei.post(f"{url}run/")
    User.objects.filter(pk=cast.sergei.pk).update(role=Role.ENGINEER)
    do_due()
    assert ImportJob.objects.get(stage="run").status == JobStatus.FAILED
    assert not Object.objects.exists()


def test_files_and_rows_are_removed_in_time(cast: Cast, reports_path: Path) -> None:
    sergei = desk(cast.sergei)
    done, waiting = checked(sergei, OBJECTS), checked(sergei, OBJECTS)
    sergei.post(f"{done}run/")
    folder = reports_path / "imports"
    assert len(list(folder.iterdir())) == 2
    assert clean_up().files == 1
    assert clean_up(timezone.now() + timedelta(days=2)).files == 1
    assert not list(folder.iterdir())
    assert "Import</button>" not in told(sergei, waiting)
    assert Part.objects.exists()
    clean_up(timezone.now() + timedelta(days=8))
    assert not Part.objects.exists()
    assert "records written." in told(sergei, done)
    (folder / "nobodys").write_bytes(b"x")
    assert clean_up(timezone.now() + timedelta(hours=3)).ownerless == 1


def test_a_file_can_be_discarded(cast: Cast, reports_path: Path) -> None:
    sergei = desk(cast.sergei)
    url = checked(sergei, OBJECTS)
    assert sergei.post(f"{url}discard/").status_code == 302
    assert sergei.get(url).status_code == 404
    assert not list((reports_path / "imports").iterdir())
    assert not Upload.objects.exists()


def test_nobody_fills_the_disk(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MOST_WAITING", 2)
    sergei = desk(cast.sergei)
    brought(sergei, OBJECTS)
    brought(sergei, OBJECTS)
    assert upload(sergei, OBJECTS).status_code == 409
    monkeypatch.setattr(steps, "MAX_UPLOAD", 10)
    assert upload(desk(cast.olga), OBJECTS).status_code == 422


def test_bodies_beyond_the_limit(cast: Cast, settings: Any) -> None:
    sergei = desk(cast.sergei)
    settings.MAX_BODY_BYTES = 1000
    settings.LARGE_BODIES = {BASE: 5000}
    assert upload(sergei, OBJECTS + "\n" * 2000).status_code == 302
    answer = upload(sergei, OBJECTS + "\n" * 9000)
    assert answer.status_code == 413
    assert answer["Content-Type"].startswith("text/html")
    assert upload(browser(), OBJECTS + "\n" * 2000).status_code == 413


def test_what_the_file_says_is_text(cast: Cast) -> None:
    """Cells, headings and file names are shown, never run."""
    sergei = desk(cast.sergei)
    evil = "<script>alert(1)</script>"
    url = brought(sergei, f"Адрес;{evil}\nул. Мира {evil}, д. 1;{evil}\n", name=f"{evil}.csv")
    page = told(sergei, f"{url}columns/")
    assert evil not in page
    sergei.post(f"{url}columns/", chosen(sergei, url))
    assert evil not in told(sergei, url)
    assert evil not in told(sergei, BASE)


def test_pages_cost_few_queries(
    cast: Cast, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    sergei = desk(cast.sergei)
    for _n in range(3):
        url = checked(sergei, OBJECTS)
    with django_assert_max_num_queries(15):
        sergei.get(BASE)
    with django_assert_max_num_queries(15):
        sergei.get(url)
    with django_assert_max_num_queries(15):
        sergei.get(f"{url}columns/")


def do_due() -> None:
    inprocess.do_everything_due()


def stop_in(patch: pytest.MonkeyPatch, batch: int, act: Callable[[], object]) -> None:
    """Let `act` happen in a batch's transaction, when its rows are written and not yet noted."""
    calls = 0
    real = Diary.write

    def write(diary: Diary) -> None:
        nonlocal calls
        calls += 1
        # Each batch writes twice: in its transaction, and behind it, where there is nothing left.
        if calls == 2 * batch - 1:
            act()
        real(diary)

    patch.setattr(Diary, "write", write)
