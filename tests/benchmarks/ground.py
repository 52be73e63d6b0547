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
from tests.benchmarks.multiplying import multiply
from tests.servers import ROOT

PEOPLE = {
    "admin": ("admin@example.com", "admin123"),
    "supervisor": ("supervisor@example.com", "supervisor123"),
    "engineer": ("engineer1@example.com", "engineer123"),
}
# As a careful installation would have it, on a machine of this size.
POSTGRESQL = {
    "listen_addresses": "",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
}
START_SECONDS = 60
# From this many objects on the others are copies: the demo draws each house, and takes hours for a million.
DRAWN = 50_000
APPLICATION = "tests.benchmarks.served"
# How each web server is started; all but granian have to be installed first.
SERVERS = {
    "granian": (
        "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}",
        "--workers", "{workers}", "--blocking-threads", "{threads}", "--no-ws",
        "--log-level", "warning", f"{APPLICATION}:application",
    ),
    "granian-asgi": (
        "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}",
        "--workers", "{workers}", "--no-ws", "--log-level", "warning", f"{APPLICATION}_asgi:application",
    ),
    "gunicorn": (
        "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "{workers}", "--worker-class", "sync",
        "--log-level", "warning", f"{APPLICATION}:application",
    ),
    "gunicorn-threads": (
        "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "{workers}", "--worker-class", "gthread",
        "--threads", "{threads}", "--log-level", "warning", f"{APPLICATION}:application",
    ),
    "uvicorn": (
        "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}",
        "--log-level", "warning", "--no-access-log", "--lifespan", "off", f"{APPLICATION}_asgi:application",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """A running server and what is known about its data."""

    engine: str
    port: int
    web_pid: int
    database_pid: int | None
    tokens: dict[str, str]
    people: dict[str, Any]
    directory: Path


def environment(url: str, redis_url: str, *, pool: bool) -> dict[str, str]:
    """The settings of a production, with limits that a benchmark does not meet but that are counted."""
    settings = "tests.benchmarks.pooled" if pool else "crm.settings"
    return {
        "DATABASE_URL": url, "REDIS_URL": redis_url, "DEBUG": "false", "LOG_LEVEL": "INFO",
        "SECRET_KEY": secrets.token_urlsafe(48), "JWT_SECRET": secrets.token_urlsafe(48),
        "DJANGO_SETTINGS_MODULE": settings,
        "ALLOWED_HOSTS": "localhost,127.0.0.1", "ACCESS_TOKEN_MINUTES": "1440",
        "RATE_LIMIT_ADMIN": "100000000", "RATE_LIMIT_SUPERVISOR": "100000000",
        "RATE_LIMIT_ENGINEER": "100000000", "RATE_LIMIT_LOGIN_ADDRESS": "100000000",
    }  # fmt: skip


@contextmanager
def prepared(
    engine: str,
    objects: int,
    *,
    workers: int,
    threads: int,
    database_url: str = "",
    server: str = "granian",
    pool: bool = False,
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
            database, url = throwaway.start_postgresql(directory)
            running.append(database)
            database_pid = database.pid
        started = throwaway.start_redis(directory)
        if started is not None:
            running.append(started[0])
        os.environ |= environment(url, started[1] if started else "", pool=pool)
        tokens, people = fill(objects)
        port = free_port()
        with (directory / "web.log").open("wb") as log:
            given = {"port": port, "workers": workers, "threads": threads}
            words = [word.format(**given) for word in SERVERS[server]]
            web = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, stdout=log, stderr=log)
        running.append(web)
        wait_for(port, web, directory / "web.log")
        yield Ground(engine, port, web.pid, database_pid, tokens, people, directory)
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
        drawn = min(objects, DRAWN) if connection.vendor == "postgresql" else objects
        call_command("seed_dictionaries", verbosity=0)
        call_command("seed_demo", objects=drawn, untold=True, verbosity=0)
        multiply(objects)
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
