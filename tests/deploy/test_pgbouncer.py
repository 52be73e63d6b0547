"""Through PgBouncer in transaction mode: requests, the streamed feed, exports; and what the option is for."""

import json
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import environ
import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from crm.db.reading import rows_of_one_moment
from crm.demo import HOST, Processes, wait_until_healthy
from objects.models import Object
from tests.cast import Cast
from tests.deploy.pooler import pgbouncer, pooled
from tests.docs.test_quickstart import free_port
from tests.jobs.workers import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql_only,
    pytest.mark.skipif(
        pgbouncer() is None, reason="no PgBouncer here: install the package pgbouncer"
    ),
]

POOL = 2
THREADS = 4
OBJECTS = 300
# What docs/operations.md tells to put behind the URL.
OPTION = "?disable_server_side_cursors=true"


@pytest.fixture
def pool(transactional_db: None) -> Iterator[str]:
    # Not tmp_path: PgBouncer may have to run as somebody else, who must be able to enter.
    with tempfile.TemporaryDirectory(prefix="crm-pgbouncer-") as directory:
        Path(directory).chmod(0o755)
        with pooled(Path(directory) / "pool", POOL) as url:
            yield url


@pytest.fixture
def address(pool: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The product behind the pool, with more threads than there are connections to share."""
    call_command("seed_demo", objects=OBJECTS, verbosity=0)
    for name, value in {
        "DATABASE_URL": pool + OPTION, "ALLOWED_HOSTS": HOST, "REDIS_URL": "",
        "REPORTS_PATH": str(tmp_path / "reports"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    port = free_port()
    processes = Processes()
    try:
        processes.start(
            "the web server",
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port),
                "--workers", "1", "--blocking-threads", str(THREADS), "--log-level", "warning",
                "crm.wsgi:application",
            ],
        )  # fmt: skip
        wait_until_healthy(processes, f"http://{HOST}:{port}")
        yield f"http://{HOST}:{port}"
    finally:
        processes.stop()


def ask(address: str, path: str, token: str = "", body: Any = None, method: str = "") -> Any:
    """The JSON of an answer that succeeds; the bytes of what is none."""
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{address}/api/v1{path}",
        None if body is None else json.dumps(body).encode(),
        {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
        method=method or None,
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        content = answer.read()
        return (
            json.loads(content) if answer.headers["Content-Type"] == "application/json" else content
        )


def test_everything_works_through_a_pool(address: str) -> None:
    who = {"username": "admin@example.com", "password": "admin123"}
    token = ask(address, "/auth/token", body=who)["access_token"]

    def lists(number: int) -> int:
        found = ask(address, f"/objects?limit=100&page={1 + number % 3}", token)["items"]
        one = ask(address, f"/objects/{found[number % 100]['id']}", token)
        changed = ask(
            address, f"/objects/{one['id']}", token, {"contact_name": f"n{number}"}, "PATCH"
        )
        assert changed["contact_name"] == f"n{number}"
        return len(found)

    def feed(_number: int) -> set[str]:
        seen: set[str] = set()
        page = {"has_more": True, "next_cursor": ""}
        while page["has_more"]:
            page = ask(
                address,
                f"/sync/changes?tables=objects&limit=50&cursor={page['next_cursor']}",
                token,
            )
            seen |= {item["id"] for item in page["items"]}
        return seen

    def push(number: int) -> str:
        item = {
            "client_generated_id": f"00000000-0000-4000-8000-{number:012}", "table_name": "units",
            "payload": {"object_id": house, "unit_number": str(number)},
        }  # fmt: skip
        return str(ask(address, "/sync/batch", token, {"items": [item]})["results"][0]["status"])

    house = ask(address, "/objects?limit=1", token)["items"][0]["id"]
    job = ask(address, "/reports/export", token, {"entity": "objects", "format": "csv"})
    with ThreadPoolExecutor(THREADS * 2) as crowd:
        listed = [crowd.submit(lists, number) for number in range(24)]
        fed = [crowd.submit(feed, number) for number in range(4)]
        pushed = [crowd.submit(push, number) for number in range(8)]
        assert {each.result() for each in listed} == {100}
        everything = {str(pk) for pk in Object.objects.values_list("pk", flat=True)}
        assert all(each.result() == everything for each in fed)
        assert {each.result() for each in pushed} == {"created"}
    done = wait_until(
        lambda: finished(ask(address, f"/reports/jobs/{job['id']}", token)), "the export"
    )
    assert (done["status"], done["rows_done"]) == ("done", OBJECTS), done
    lines = (
        ask(address, f"/reports/jobs/{job['id']}/download", token).decode("utf-8-sig").splitlines()
    )
    assert len(lines) == OBJECTS + 1


def finished(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if job["status"] not in ("pending", "processing") else None


Named = Callable[[str, str], BaseDatabaseWrapper]


@pytest.fixture
def named(pool: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Named]:
    """Call it with a name and an option: a connection of this process through the pool."""
    guarded = BaseDatabaseWrapper.ensure_connection
    made: list[str] = []

    def connect(wrapper: BaseDatabaseWrapper) -> None:
        # Django's tests let nobody connect to a database that the settings do not name.
        if wrapper.alias not in made:
            guarded(wrapper)
        elif wrapper.connection is None:
            with wrapper.wrap_database_errors:
                wrapper.connect()

    def make(name: str, option: str) -> BaseDatabaseWrapper:
        url = environ.Env.db_url_config(pool + option)
        connections.settings[name] = {**connections.settings["default"], **url}
        made.append(name)
        return connections[name]

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", connect)
    yield make
    for name in made:
        connections[name].close()
        del connections[name]
        del connections.settings[name]


@pytest.mark.parametrize("option", [OPTION, ""])
def test_cursors_outside_of_transactions_need_the_option(
    named: Named, option: str, cast: Cast
) -> None:
    """Without it the second part of the rows is asked of another connection, which knows no such cursor."""
    for number in range(50):
        cast.object(address=f"ул. Длинная, д. {number}")
    named("reader", option)
    rows = Object.objects.using("reader").iterator(chunk_size=10)
    seen = [next(rows)]
    with named("other", option).cursor() as cursor:
        # The connection that the reader had is somebody else's now, in the middle of a transaction.
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1")
        if option:
            assert len(seen + list(rows)) == 50
        else:
            with pytest.raises((DatabaseError, psycopg.Error)):
                list(rows)
        cursor.execute("ROLLBACK")


def test_exports_do_not_hold_all_rows_behind_a_pool(named: Named, cast: Cast) -> None:
    """The option forbids cursors that outlive a transaction; those inside of one stay."""
    cast.object()
    reader = named("reader", OPTION)
    rows = rows_of_one_moment(Object.objects.using("reader").values_list("pk"))
    assert next(rows)
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE NOT is_holdable AND name <> ''")
        assert cursor.fetchone() == (1,)
    rows.close()
