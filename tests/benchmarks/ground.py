"""What is measured on: throw-away servers, demo data, people with tokens, and the real web server."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests import throwaway
from tests.servers import ROOT

PEOPLE = {
    "admin": ("admin@example.com", "admin123"),
    "supervisor": ("supervisor@example.com", "supervisor123"),
    "engineer": ("engineer1@example.com", "engineer123"),
}
# As a careful installation would have it, on a machine of this size.
POSTGRESQL = {"listen_addresses": "", "shared_buffers": "512MB", "max_wal_size": "4GB"}
START_SECONDS = 60


@dataclass(frozen=True)
class Ground:
    """A running server and what is known about its data."""

    engine: str
    port: int
    web_pid: int
    database_pid: int | None
    tokens: dict[str, str]
    people: dict[str, Any]


def environment(url: str, redis_url: str) -> dict[str, str]:
    """The settings of a production, with limits that a benchmark does not meet but that are counted."""
    return {
        "DATABASE_URL": url, "REDIS_URL": redis_url, "DEBUG": "false", "LOG_LEVEL": "INFO",
        "SECRET_KEY": secrets.token_urlsafe(48), "JWT_SECRET": secrets.token_urlsafe(48),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "ALLOWED_HOSTS": "localhost,127.0.0.1", "ACCESS_TOKEN_MINUTES": "1440",
        "RATE_LIMIT_ADMIN": "100000000", "RATE_LIMIT_SUPERVISOR": "100000000",
        "RATE_LIMIT_ENGINEER": "100000000", "RATE_LIMIT_LOGIN_ADDRESS": "100000000",
    }  # fmt: skip


@contextmanager
def prepared(
    engine: str, objects: int, *, workers: int, threads: int, database_url: str = ""
) -> Iterator[Ground]:
    """Everything started and filled; all of it is gone afterwards (but a database that was given)."""
    directory = Path(tempfile.mkdtemp(prefix="crm-benchmark-"))
    directory.chmod(0o755)
    running: list[subprocess.Popen[bytes]] = []
    database_pid = None
    try:
        url = database_url or f"sqlite:///{directory}/benchmark.sqlite3"
        if engine == "postgresql" and not database_url:
            throwaway.POSTGRESQL_OPTIONS = POSTGRESQL
            server, url = throwaway.start_postgresql(directory)
            running.append(server)
            database_pid = server.pid
        started = throwaway.start_redis(directory)
        if started is not None:
            running.append(started[0])
        os.environ |= environment(url, started[1] if started else "")
        tokens, people = fill(objects)
        port = free_port()
        with (directory / "web.log").open("wb") as log:
            web = subprocess.Popen(
                [
                    sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
                    "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads),
                    "--no-ws", "--log-level", "warning", "tests.benchmarks.served:application",
                ],
                cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip
        running.append(web)
        wait_for(port, web, directory / "web.log")
        yield Ground(engine, port, web.pid, database_pid, tokens, people)
    finally:
        for process in reversed(running):
            throwaway.stop(process)
        shutil.rmtree(directory, ignore_errors=True)


def fill(objects: int) -> tuple[dict[str, str], dict[str, Any]]:
    """Demo data where there is none; tokens and users by role."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from crm.db.bulk import refresh_statistics
    from crm.users import tokens
    from crm.users.models import Session, User
    from objects.models import Object
    from sync.entities import ENTITIES

    call_command("migrate", verbosity=0)
    if not Object.objects.exists():
        call_command("seed_dictionaries", verbosity=0)
        call_command("seed_demo", objects=objects, untold=True, verbosity=0)
    refresh_statistics(connection, [entity.table for entity in ENTITIES])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # What autovacuum does in the first minutes: without it no scan stays inside an index.
            cursor.execute("VACUUM ANALYZE")
    people = {who: User.objects.get(email=email) for who, (email, _) in PEOPLE.items()}
    minted = {}
    for who, user in people.items():
        now = timezone.now()
        session = Session.objects.create(
            user=user, issued_at=now, expires_at=now + timedelta(days=1)
        )
        minted[who] = tokens.mint(session).access_token
    return minted, people


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the web server answers; raises SystemExit with its log when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The server does not start:\n{log.read_text()}") from None
            time.sleep(0.1)
