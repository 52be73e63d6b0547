"""Where files are kept: a disk that is full, a storage that is away, a bucket, and what is swept up."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone
from moto.server import ThreadedMotoServer

from crm.jobs.failures import Stopped
from crm.jobs.kinds import kind_of
from crm.jobs.running import perform
from crm.settings import bucket
from reports import storing
from reports.cleanup import clean_up
from reports.models import ReportJob
from tests.cast import Cast
from tests.contracts.envelope import refused
from tests.reports.asking import JOBS, KIND, asked, content, done, rows_of_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reports_path")]

FULL = Path("/dev/full")
BUCKET = "crm-reports"


def every_file(directory: Path) -> list[str]:
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if not p.is_dir())


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_the_disk_is_full(
    cast: Cast, reports_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    """Every byte is refused by the kernel itself."""
    cast.object()
    job = asked(cast, cast.sergei, format=format_)
    real = storing.unfinished

    def on_a_full_disk(run: Any, suffix: str) -> Any:
        (reports_path / storing.UNFINISHED).mkdir(parents=True, exist_ok=True)
        (reports_path / storing.UNFINISHED / f"{run}.{suffix}").symlink_to(FULL)
        return real(run, suffix)

    with monkeypatch.context() as patch:
        patch.setattr(storing, "unfinished", on_a_full_disk)
        for expected in ("pending", "pending", "pending", "failed"):
            perform(kind_of(KIND), job.pk)
            job.refresh_from_db()
            assert (job.status, job.error_message) == (
                expected, "There is no space left on the server's disk.",
            )  # fmt: skip
            ReportJob.objects.update(retry_at=None)
    assert every_file(reports_path) == []
    shown = cast.api(cast.sergei).get(f"{JOBS}/{job.pk}").json()
    assert (shown["status"], shown["file_path"]) == ("failed", None)
    assert shown["completed_at"]


def test_the_storage_is_away(cast: Cast, reports_path: Path) -> None:
    """Something else lies where the files should go; it is mended before the second attempt."""
    reports_path.mkdir()
    (reports_path / storing.FOLDER).write_text("in the way")
    job = asked(cast, cast.sergei)
    assert perform(kind_of(KIND), job.pk) == 60
    job.refresh_from_db()
    assert (job.status, job.error_message) == ("pending", "The storage for files does not answer.")
    assert every_file(reports_path) == [storing.FOLDER]
    (reports_path / storing.FOLDER).unlink()
    ReportJob.objects.update(retry_at=None)
    done(job)
    assert every_file(reports_path) == [job.file_path]


def test_a_file_is_moved_not_copied(cast: Cast, reports_path: Path) -> None:
    seen: list[int] = []
    with storing.unfinished(uuid4(), "csv") as path:
        path.write_bytes(b"x" * 1000)
        seen.append(path.stat().st_ino)
        name = storing.keep(path, "exports/a.csv", lambda: None)
    kept = reports_path / name
    assert (kept.stat().st_ino, kept.stat().st_mode & 0o777) == (seen[0], 0o640)
    assert every_file(reports_path) == ["exports/a.csv"]


# --- a bucket -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """A local server that speaks Amazon's protocol."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(
    moto: str, reports_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """An empty bucket, and the settings that name it."""
    environment = {
        "AWS_S3_ENDPOINT_URL": moto, "AWS_S3_REGION_NAME": "eu-central-1", "AWS_LOCATION": "crm",
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client(
        "s3", endpoint_url=moto, region_name="eu-central-1",
        aws_access_key_id="key", aws_secret_access_key="secret",
    )  # fmt: skip
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    settings.STORAGES = {**settings.STORAGES, "default": bucket(BUCKET)}
    yield client
    for name in keys(client):
        client.delete_object(Bucket=BUCKET, Key=name)
    client.delete_bucket(Bucket=BUCKET)


def keys(client: Any) -> list[str]:
    found = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return sorted(one["Key"] for one in found)


def test_files_are_kept_in_a_bucket(cast: Cast, s3: Any, reports_path: Path) -> None:
    cast.object(address="ул. Мира, д. 1")
    job = done(asked(cast, cast.sergei, columns=["address"]))
    assert keys(s3) == [f"crm/{job.file_path}"]
    assert every_file(reports_path) == []
    answer = cast.api(cast.sergei).get(f"{JOBS}/{job.pk}/download")
    assert rows_of_csv(content(answer))[1:] == [["ул. Мира, д. 1"]]
    ReportJob.objects.update(expires_at=timezone.now())
    assert clean_up().expired == 1
    assert keys(s3) == []
    refused(cast.api(cast.sergei).get(f"{JOBS}/{job.pk}/download"), 410, "REPORT_EXPIRED")


def test_a_large_file_travels_in_parts(s3: Any) -> None:
    data = os.urandom(20 * 1024 * 1024)
    looks: list[int] = []
    with storing.unfinished(uuid4(), "xlsx") as path:
        path.write_bytes(data)
        name = storing.keep(path, "exports/large.xlsx", lambda: looks.append(1))
    # A part has 8 MiB: memory holds a few of them, whatever the file.
    assert len(looks) >= 3
    found = storing.opened(name)
    assert found is not None
    assert b"".join(found.chunks()) == data


def test_called_off_while_it_travels(s3: Any) -> None:
    looks: list[int] = []

    def look() -> None:
        looks.append(1)
        if len(looks) > 1:
            raise Stopped

    with storing.unfinished(uuid4(), "xlsx") as path:
        path.write_bytes(os.urandom(20 * 1024 * 1024))
        with pytest.raises(Stopped):
            storing.keep(path, "exports/large.xlsx", look)
    assert keys(s3) == []
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_the_bucket_is_away(cast: Cast, s3: Any, settings: Any, reports_path: Path) -> None:
    job = done(asked(cast, cast.sergei))
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:1"}
    away = {**settings.STORAGES["default"], "OPTIONS": options}
    there, settings.STORAGES = settings.STORAGES, {**settings.STORAGES, "default": away}
    refused(cast.api(cast.sergei).get(f"{JOBS}/{job.pk}/download"), 503, "SERVICE_UNAVAILABLE")
    second = asked(cast, cast.sergei)
    assert perform(kind_of(KIND), second.pk) == 60
    second.refresh_from_db()
    assert second.error_message == "The storage for files does not answer."
    assert every_file(reports_path) == []
    with pytest.raises(CommandError, match="storage"):
        call_command("reports_cleanup")
    settings.STORAGES = there
    ReportJob.objects.update(retry_at=None)
    done(second)
    assert len(keys(s3)) == 2


# --- sweeping up ----------------------------------------------------------------------------------


@pytest.fixture(params=["disk", "bucket"])
def storage(request: pytest.FixtureRequest) -> None:
    if request.param == "bucket":
        request.getfixturevalue("s3")


@pytest.mark.usefixtures("storage")
def test_what_expired_is_removed(cast: Cast) -> None:
    old, new = done(asked(cast, cast.sergei)), done(asked(cast, cast.anna))
    ReportJob.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    out = StringIO()
    call_command("reports_cleanup", stdout=out)
    assert "1 expired" in out.getvalue()
    assert not default_storage.exists(old.file_path)
    assert default_storage.exists(new.file_path)
    old.refresh_from_db()
    assert (old.status, old.file_path) == ("done", None)
    refused(cast.api(cast.sergei).get(f"{JOBS}/{old.pk}/download"), 410, "REPORT_EXPIRED")
    assert cast.api(cast.anna).get(f"{JOBS}/{new.pk}/download").status_code == 200
    call_command("reports_cleanup", stdout=out)
    assert "0 expired" in out.getvalue()
    assert cast.api(cast.sergei).get(JOBS).json()[0]["file_path"] is None


@pytest.mark.usefixtures("storage")
def test_what_nobody_refers_to_is_removed_after_a_while(cast: Cast) -> None:
    """An attempt that died between keeping its file and saying so."""
    job = done(asked(cast, cast.sergei))
    default_storage.save("exports/nobodys.csv", ContentFile(b"x"))
    assert clean_up().ownerless == 0
    assert clean_up(timezone.now() + timedelta(hours=3)).ownerless == 1
    assert default_storage.listdir("exports")[1] == [Path(job.file_path).name]


def test_half_written_files_are_removed_after_a_while(reports_path: Path) -> None:
    folder = reports_path / storing.UNFINISHED
    folder.mkdir(parents=True)
    for name, hours in (("old.csv", 3), ("fresh.csv", 0)):
        (folder / name).write_text("half")
        moment = timezone.now().timestamp() - hours * 3600
        os.utime(folder / name, (moment, moment))
    assert clean_up().unfinished == 1
    assert every_file(reports_path) == [f"{storing.UNFINISHED}/fresh.csv"]


def test_nothing_to_sweep() -> None:
    cleaned = clean_up()
    assert (cleaned.expired, cleaned.unfinished, cleaned.ownerless) == (0, 0, 0)


def test_it_is_a_chore_of_the_workers() -> None:
    from crm.jobs import chores

    chore = chores._chores["reports_cleanup"]
    assert chore.every == timedelta(hours=1)
    work: Callable[[], object] = chore.work
    assert work is clean_up
