"""The ground under all other tests: the engine is what it says, the servers are real, races are races."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from tests.concurrency import run_together
from tests.servers import engine_of_ids, own_database


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.django_db
def test_engine_is_what_it_says(engine: str, request: pytest.FixtureRequest) -> None:
    assert connection.vendor == engine
    assert request.node.name.endswith(f"[{engine}]")
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if engine == "postgresql" else "SELECT sqlite_version()")
        version = cursor.fetchone()[0]
    assert version.startswith("PostgreSQL" if engine == "postgresql" else "3.")


@pytest.mark.postgresql_only
@pytest.mark.django_db
def test_only_on_postgresql(engine: str) -> None:
    assert engine == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower('ЁЛОЧНАЯ'), pg_encoding_to_char(encoding) FROM pg_database LIMIT 1"
        )
        assert cursor.fetchone() == ("ёлочная", "UTF8")


@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_only_on_sqlite_and_in_a_file(engine: str) -> None:
    assert engine == "sqlite"
    assert Path(connection.settings_dict["NAME"]).is_file()


@pytest.mark.redis
def test_redis_is_real(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert redis_url == settings.REDIS_URL
    client.set("harness", "yes", ex=60)
    assert client.get("harness") == b"yes"
    assert client.info("server")["redis_version"]


def test_each_worker_has_a_database_of_its_own_on_a_shared_redis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    assert own_database("redis://:word@host:6380/3") == "redis://:word@host:6380/3?db=4"
    assert own_database("unix:///tmp/a.sock?db=0") == "unix:///tmp/a.sock?db=1"


@pytest.mark.redis
def test_redis_starts_empty(redis_url: str) -> None:
    assert redis.Redis.from_url(redis_url).keys() == []


@pytest.mark.django_db(transaction=True)
def test_run_together_overlaps_on_connections_of_their_own() -> None:
    meeting = threading.Barrier(2)

    def meet() -> int:
        meeting.wait(10)  # passes only when both are under way
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return id(connection.connection)

    def fail() -> None:
        raise ValueError("mine")

    first, second, error = run_together(meet, meet, fail)
    assert first != second
    assert id(connection.connection) not in (first, second)
    assert isinstance(error, ValueError)


@pytest.mark.django_db
def test_run_together_refuses_an_open_transaction() -> None:
    with pytest.raises(RuntimeError, match="transaction=True"):
        run_together(lambda: None)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tests/a.py::test_b[postgresql]", "-k", "word"], "postgresql"),
        (["tests/a.py::test_b[x-sqlite]"], "sqlite"),
        (["tests/a.py::test_b[x]"], None),
        (["tests/a.py", "--engine=postgresql]"], None),
    ],
)
def test_a_test_id_names_its_engine(arguments: list[str], expected: str | None) -> None:
    assert engine_of_ids(arguments) == expected


def test_servers_end_with_their_run(tmp_path: Path) -> None:
    """Even a run that was killed leaves no process and no file: closing its end of the pipe is enough."""
    directory = tmp_path / "servers"
    directory.mkdir()
    guardian = subprocess.Popen(
        (sys.executable, "-m", "tests.throwaway", str(directory), "redis"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert guardian.stdin is not None
    assert guardian.stdout is not None
    assert guardian.stdout.readline().startswith(b"{")
    guardian.terminate()
    time.sleep(0.1)
    assert guardian.poll() is None, (
        "SIGTERM alone must not take the servers from a run that uses them"
    )
    guardian.stdin.close()
    assert guardian.wait(20) == 0
    assert not directory.exists()
