"""A real dump restored into a real other cluster, and a cluster recovered to an earlier point.

Two phones live through it: one that only pulls, and the reference client with edits that are not sent yet.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from objects.models import Object
from sync.state import FeedState
from tests import throwaway
from tests.cast import Cast
from tests.sync.phone import Phone
from tests.sync.pocket import Pocket, shown_by_the_api
from tests.sync.truth import visible_versions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql_only]

# More transactions than a new cluster has seen: restored positions lie in its future.
BURNT = 4000


def run(binary: str, *arguments: str) -> None:
    """One of PostgreSQL's own tools."""
    path = throwaway.postgresql_binaries() / "bin" / binary
    done = subprocess.run((str(path), *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class OtherCluster:
    """A second cluster in its own directory, to which the test's connection can be turned."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process, _url = throwaway.start_postgresql(directory)

    def stop(self) -> None:
        connection.close()
        throwaway.stop(self.process)

    def back_up(self) -> None:
        """Copy the data directory of the stopped server."""
        self.stop()
        shutil.copytree(self.directory / "data", self.directory / "backup")
        self.start_again()

    def recover(self) -> None:
        """Put the backup back, and end its recovery on a timeline of its own."""
        self.stop()
        data = self.directory / "data"
        shutil.rmtree(data)
        shutil.move(self.directory / "backup", data)
        (data / "recovery.signal").touch()
        with (data / "postgresql.auto.conf").open("a", encoding="ascii") as lines:
            lines.write("restore_command = 'false'\n")
        owner = self.directory.stat()
        for path in (data, *data.rglob("*")) if os.geteuid() == 0 else ():
            os.chown(path, owner.st_uid, owner.st_gid)
        data.chmod(0o700)
        self.start_again()
        self.wait_for_the_end_of_recovery()

    def wait_for_the_end_of_recovery(self) -> None:
        """The server answers readers some time before it lets anybody write."""
        place = {"host": str(self.directory), "user": "postgres", "dbname": "postgres"}
        with psycopg.connect(**place, autocommit=True) as asking:
            while asking.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
                time.sleep(0.1)

    def start_again(self) -> None:
        """On the data directory as it is now."""
        install = self.directory / "wheel"
        binary = next(install.rglob("bin/postgres")) if install.exists() else (
            throwaway.postgresql_binaries() / "bin/postgres"
        )  # fmt: skip
        options = throwaway.POSTGRESQL_OPTIONS | {"unix_socket_directories": str(self.directory)}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        account = {}
        if os.geteuid() == 0:
            owner = self.directory.stat()
            account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        log = self.directory / "again.log"
        with log.open("wb") as sink:
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                (str(binary), "-D", str(self.directory / "data"), *arguments),
                **account, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            )  # fmt: skip
        throwaway.wait_for_postgresql(self.process, self.directory, log)


@pytest.fixture
def other_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[OtherCluster]:
    if os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("the tools beside the wheel may not fit the given server")
    # An archive recovery needs more in the log than a throw-away cluster writes.
    monkeypatch.setitem(throwaway.POSTGRESQL_OPTIONS, "wal_level", "replica")
    # Not below pytest's own directory, which only its owner may enter.
    directory = Path(tempfile.mkdtemp(prefix="crm-other-"))
    directory.chmod(0o755)
    cluster = OtherCluster(directory)
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def turn(host: str) -> None:
    """Let Django's connection go to the server there."""
    connection.close()
    settings: dict[str, Any] = connection.settings_dict
    place = settings["OPTIONS"] if settings["OPTIONS"].get("host") else settings
    place["host" if place is not settings else "HOST"] = host


def restore_into(there: str, host: str, name: str, dump: Path) -> None:
    """A dump of the database, restored under the same name in the other cluster."""
    run("pg_dump", "-Fc", "-f", str(dump), "-h", host, "-U", "postgres", name)
    run("createdb", "-h", there, "-U", "postgres", name)
    run("pg_restore", "-d", name, "-h", there, "-U", "postgres", str(dump))


def test_a_restored_dump_and_a_recovery_start_over_and_converge(
    cast: Cast, other_cluster: OtherCluster, tmp_path: Path
) -> None:
    with connection.cursor() as cursor:
        for _ in range(BURNT):
            cursor.execute("SELECT pg_current_xact_id()")
    for _ in range(3):
        cast.customer(cast.object())
    cast.visit(cast.object(district=cast.north), cast.ivan)
    phone = Phone.of(cast, cast.ivan)
    phone.pull()
    settings: dict[str, Any] = connection.settings_dict
    dump = tmp_path / "dump"
    host = settings["OPTIONS"].get("host") or settings["HOST"]
    there = str(other_cluster.directory)
    restore_into(there, host, settings["NAME"], dump)
    # What is written after the dump is lost in the restored database.
    Object.objects.update(contact_name="после")
    phone.pull()

    turn(there)
    try:
        first = FeedState.objects.get().identity
        assert Object.objects.filter(feed_position__gt=BURNT).count() == 4
        phone.pull()
        assert phone.resyncs == ["epoch"]
        assert phone.versions() == visible_versions(cast.ivan)
        assert len(phone.rows) == 8
        cast.object()
        phone.pull()
        assert phone.resyncs == ["epoch"]
        assert phone.versions() == visible_versions(cast.ivan)
        assert FeedState.objects.get().identity != first

        other_cluster.back_up()
        # What comes after the backup will be lost.
        Object.objects.update(contact_name="потом")
        phone.pull()
        assert phone.resyncs == ["epoch"]
        other_cluster.recover()
        # The same cluster, the same positions, another timeline.
        for _ in range(3):
            Object.objects.update(contact_name="иначе", status="DONE")
        phone.pull()
        assert phone.resyncs == ["epoch", "epoch"]
        assert phone.versions() == visible_versions(cast.ivan)
        phone.pull()
        assert phone.resyncs == ["epoch", "epoch"]
    finally:
        turn(host)


def converges(pocket: Pocket, resyncs: int) -> None:
    """One pull, which starts over so many times; then the phone holds what the API shows."""
    before = len(pocket.reasons)
    assert pocket.pull(page=3)
    assert pocket.reasons[before:] == ["epoch"] * resyncs
    assert pocket.records() == shown_by_the_api(pocket)


def typed(pocket: Pocket, known: Object) -> str:
    """A new house with a flat and a visit, and an edit of a house that is known; the new house's id."""
    phone = pocket.phone
    house: str = phone.create("objects", address="ул. Ёлочная, д. 5")
    flat = phone.create("units", object_id=house, unit_number="7")
    phone.create("visits", object_id=house, unit_id=flat)
    phone.edit("objects", house, status="INTEREST")
    phone.edit("objects", str(known.pk), tags=["лифт", house])
    return house


def sent_once(pocket: Pocket, house: str, known: Object) -> None:
    """What was typed goes through, and counts once however often it is sent."""
    before = pocket.outbox()
    assert len(before) == 5
    # The answer is lost, so that everything goes twice.
    assert not pocket.push(weather=["unanswered"])
    assert pocket.outbox() == before
    assert pocket.push()
    assert pocket.outbox() == []
    assert {(one["error_code"], one["replayed"]) for one in pocket.results[-5:]} == {(None, True)}
    converges(pocket, 0)
    made = Object.objects.get(pk=house)
    assert (made.version, made.status) == (2, "INTEREST")
    known.refresh_from_db()
    assert known.tags == ["лифт", house]
    assert {table for table, _id in pocket.records()} == {"objects", "units", "visits"}


def test_what_was_typed_before_a_restore_goes_through_once_afterwards(
    cast: Cast, other_cluster: OtherCluster, tmp_path: Path
) -> None:
    known, raced = cast.object(), cast.object()
    pocket = Pocket(cast, cast.ivan, path=str(tmp_path / "phone.sqlite3"))
    converges(pocket, 0)
    settings: dict[str, Any] = connection.settings_dict
    host = settings["OPTIONS"].get("host") or settings["HOST"]
    there = str(other_cluster.directory)
    restore_into(there, host, settings["NAME"], tmp_path / "dump")
    # The phone sees a version that the restored database has never heard of.
    Object.objects.filter(pk=raced.pk).update(contact_name="после")
    converges(pocket, 0)
    assert pocket.records()["objects", str(raced.pk)][0] == 2
    house = typed(pocket, known)
    waiting = pocket.outbox()

    turn(there)
    try:
        converges(pocket, 1)
        assert pocket.records()["objects", str(raced.pk)][0] == 1
        assert pocket.outbox() == waiting
        sent_once(pocket, house, known)

        other_cluster.back_up()
        Object.objects.filter(pk=raced.pk).update(contact_name="потом")
        converges(pocket, 0)
        house = typed(pocket, known)
        # Based on a version that will not have existed.
        pocket.phone.edit("objects", str(raced.pk), contact_name="моё")
        waiting = pocket.outbox()
        other_cluster.recover()
        converges(pocket, 1)
        assert pocket.outbox() == waiting
        # A version from the future is stale: it says nothing of what was seen.
        pocket.push()
        [refused] = pocket.phone.refused()
        assert (refused["error_code"], refused["server_version"]) == ("CONFLICT", 1)
        pocket.phone.insist(refused["number"])
        assert pocket.push()
        assert pocket.outbox() == []
        converges(pocket, 0)
        raced.refresh_from_db()
        assert (raced.contact_name, raced.version) == ("моё", 2)
        assert Object.objects.get(pk=house).version == 2
        converges(pocket, 0)
    finally:
        turn(host)
