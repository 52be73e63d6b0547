"""The walk of docs/quickstart.md and its Russian twin, taken by the documents themselves.

Each ```bash block runs in one shell, against the product's own web server with demo data; the ```text block
after it is what must come out, `…` standing for any characters of one line. A command that no longer does
what the document says is a failing test.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import call_command
from django.db import connection

from crm.demo import HOST, Processes, wait_until_healthy

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("docs/quickstart.md", "docs/quickstart.ru.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Printed between blocks; no command prints it.
SEPARATOR = "\x1e"
PATIENCE_SECONDS = 120


class Step(NamedTuple):
    """One block of commands, and what the document says that they print."""

    commands: str
    expected: str


def steps_of(text: str) -> list[Step]:
    """The document's steps. Raises AssertionError for commands whose outcome it does not tell."""
    blocks = [match.groups() for match in FENCE.finditer(text)]
    steps = []
    for position, (language, commands) in enumerate(blocks):
        if language != "bash":
            continue
        following, expected = blocks[position + 1] if position + 1 < len(blocks) else ("", "")
        assert following == "text", f"the document does not say what this prints:\n{commands}"
        steps.append(Step(commands, expected))
    return steps


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def prints(expected: str, printed: str) -> bool:
    """Whether a block printed what the document says."""
    pattern = ".+".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip()) is not None


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
        wait_until_healthy(processes, f"http://{HOST}:{port}")
        yield f"http://{HOST}:{port}"
    finally:
        processes.stop()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_does_what_it_says(document: str, address: str, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("the walk needs bash and curl")
    steps = steps_of(read(document))
    script = tmp_path / "walk.sh"
    script.write_text(
        "".join(f"{step.commands}printf '{SEPARATOR}'\n" for step in steps), encoding="utf-8"
    )
    python3 = str(Path(sys.executable).parent)
    done = subprocess.run(
        (bash, str(script)),
        env={
            **os.environ,
            "BASE": address,
            "NO_PROXY": HOST,
            "PATH": f"{python3}{os.pathsep}{os.environ['PATH']}",
        },
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    printed = done.stdout.split(SEPARATOR)
    assert len(printed) == len(steps) + 1, done.stdout
    for step, output in zip(steps, printed, strict=False):
        assert prints(step.expected, output), (
            f"{document}\n{step.commands}\nprinted:\n{output}\nexpected:\n{step.expected}"
        )


def test_both_languages_take_the_same_walk() -> None:
    english, russian = (steps_of(read(document)) for document in DOCUMENTS)
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
