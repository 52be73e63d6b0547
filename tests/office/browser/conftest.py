"""A real server on the test database, and a real browser in front of it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.cast import Cast, everybody
from tests.jobs.workers import ROOT, url_of_database
from tests.office.browser import town as towns
from tests.office.browser.chromium import binary, chromium

START_SECONDS = 60


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser of this machine; skips the test where there is none."""
    path = binary()
    if path is None:
        pytest.skip("no browser here: install Chromium, or name one in CHROMIUM")
    return path


@pytest.fixture
def cast_of_browser(transactional_db: None) -> Cast:
    """Everybody, where another process sees them."""
    return everybody()


@pytest.fixture
def town(cast_of_browser: Cast) -> Cast:
    """Everybody, and what there is to do: see tests.office.browser.town."""
    return towns.build(cast_of_browser)


@pytest.fixture
def address(
    chromium_path: Path, cast_of_browser: Cast, engine: str, tmp_path: Path
) -> Iterator[str]:
    """The product's own web server on this test's database. Without a Redis it does the jobs itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ, "DATABASE_URL": url_of_database(engine), "REDIS_URL": "", "DEBUG": "false",
        "REPORTS_PATH": str(tmp_path / "reports"), "LOG_LEVEL": "WARNING",
        "ALLOWED_HOSTS": "127.0.0.1", "SQLITE_TEST_NAME": "",
    }  # fmt: skip
    log = tmp_path / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            (
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
                "--port", str(port), "--workers", "1", "--blocking-threads", "4", "--no-ws",
                "--log-level", "warning", "crm.wsgi:application",
            ),
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
        )  # fmt: skip
    try:
        found = f"http://127.0.0.1:{port}"
        wait_until_healthy(process, found, log)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    said = log.read_text(encoding="utf-8")
    assert "Traceback" not in said, said


def wait_until_healthy(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Return once the server answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - our own
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the server does not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture
def browser(address: str, chromium_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The browser. Its driver has an event loop in this thread, beside which Django refuses to work."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with chromium(chromium_path) as running:
        yield running
        # Beside an event loop Django keeps other connections than without: nobody else would close them.
        connections.close_all()
