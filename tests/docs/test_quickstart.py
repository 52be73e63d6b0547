"""The walks of docs/quickstart.md and docs/smoke-tests.md, and of their Russian twins.

They run against the product's own web server with demo data (tests/smoke/walking.py). A command that no
longer does what the document says is a failing test.
"""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import call_command
from django.db import connection

from crm.demo import HOST, Processes, wait_until_healthy
from tests.smoke.walking import first_wrong, prints, steps_of, walked

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "docs/quickstart.md", "docs/quickstart.ru.md", "docs/smoke-tests.md", "docs/smoke-tests.ru.md",
)  # fmt: skip


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def url_of_database(engine: str) -> str:
    """The URL under which another process finds this run's test database."""
    name = str(connection.settings_dict["NAME"])
    if engine == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


@pytest.fixture
def address(transactional_db: None, engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The product, running with demo data."""
    call_command("seed_demo", objects=60, verbosity=0)
    monkeypatch.setenv("DATABASE_URL", url_of_database(engine))
    monkeypatch.setenv("ALLOWED_HOSTS", HOST)
    port = free_port()
    processes = Processes()
    try:
        processes.start(
            "the web server",
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port),
                "--workers", "1", "--blocking-threads", "2", "--log-level", "warning",
                "crm.wsgi:application",
            ],
        )  # fmt: skip
        if os.environ.get("REDIS_URL"):
            # Without Redis the web process does the jobs by itself.
            worker = [sys.executable, "manage.py", "rqworker", "--verbosity", "0"]
            processes.start("the queue worker", worker)
        wait_until_healthy(processes, f"http://{HOST}:{port}")
        yield f"http://{HOST}:{port}"
    finally:
        processes.stop()


def taken(document: str, address: str) -> str | None:
    """Walk the document; what went wrong first."""
    if shutil.which("bash") is None or shutil.which("curl") is None:
        pytest.skip("the walk needs bash and curl")
    python3 = str(Path(sys.executable).parent)
    steps = steps_of(read(document))
    printed = walked(
        steps,
        {
            **os.environ, "BASE": address, "NO_PROXY": HOST,
            "PATH": f"{python3}{os.pathsep}{os.environ['PATH']}",
        },
    )  # fmt: skip
    return first_wrong(steps, printed)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_does_what_it_says(document: str, address: str) -> None:
    assert taken(document, address) is None


@pytest.mark.parametrize("pair", [DOCUMENTS[:2], DOCUMENTS[2:]])
def test_both_languages_take_the_same_walk(pair: tuple[str, str]) -> None:
    english, russian = ([step[1:] for step in steps_of(read(document))] for document in pair)
    assert len(english) > 10
    assert russian == english


def test_a_wrong_document_is_noticed() -> None:
    """The comparison itself can fail."""
    assert prints("HTTP …\nOK\n", "HTTP 200\nOK\n")
    assert not prints("HTTP 200\n", "HTTP 500\n")
    assert not prints("…\n", "Traceback\nKeyError\n")
    assert not prints("…\n", "\n")
    with pytest.raises(AssertionError, match="does not say"):
        steps_of("```bash\ncurl\n```\n")
