"""Real workers, as processes of their own, on this run's database and Redis, with short leases.

`python -m tests.jobs.workers LEASE TICK PAUSE`: `manage.py rqworker` with these seconds.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


def url_of_database(engine: str) -> str:
    """The URL under which another process finds this run's test database."""
    name = str(connection.settings_dict["NAME"])
    if engine == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


class Workers:
    """Worker processes, each the head of a session."""

    def __init__(self, engine: str, log: Path, **environment: str) -> None:
        self.environment = {
            **os.environ, "DATABASE_URL": url_of_database(engine), "LOG_LEVEL": "INFO", **environment,
        }  # fmt: skip
        self.log = log
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *, lease: float = 2, tick: int = 1, pause: int = 1) -> subprocess.Popen[bytes]:
        """One more worker."""
        with self.log.open("ab") as sink:
            process = subprocess.Popen(
                (sys.executable, "-m", "tests.jobs.workers", str(lease), str(tick), str(pause)),
                cwd=ROOT, env=self.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            )  # fmt: skip
        self.running.append(process)
        return process

    def horse_of(self, worker: subprocess.Popen[bytes]) -> int:
        """The process that a worker has forked for the job in hand."""
        found = children(worker.pid)
        assert len(found) == 1, found
        return found[0]

    def kill_all_of(self, worker: subprocess.Popen[bytes]) -> None:
        """The machine is gone: kill -9 of the worker and of its horse."""
        horses = children(worker.pid)
        worker.kill()
        for pid in horses:
            os.kill(pid, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        """End whatever still runs."""
        for worker in self.running:
            if worker.poll() is None:
                self.kill_all_of(worker)


def children(pid: int) -> list[int]:
    """The living children of a process."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in listed.split()]


def wait_until(holds: Callable[[], Any], what: str) -> Any:
    """What `holds` gives as soon as that is true; fails with `what` after a minute."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


def main() -> None:
    """Be a worker."""
    lease, tick, pause = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    import django
    from django.core.management import call_command

    django.setup()
    keep_times(lease, tick, pause)

    from reports import exporting

    exporting.stream = slowly(exporting.stream)  # type: ignore[assignment]
    call_command("rqworker")


def keep_times(lease: float, tick: int, pause: int) -> None:
    """How long a job is held, how often workers look around, what lies between attempts: in seconds."""
    from django.conf import settings

    settings.JOBS |= {
        "LEASE_SECONDS": lease, "TICK_SECONDS": tick, "RETRY_SECONDS": [pause] * 3,
    }  # fmt: skip


def slowly(stream: Callable[..., Any]) -> Callable[..., Any]:
    """As from a database that takes a millisecond for a row: there is a middle to be killed in."""

    def rows(*arguments: Any, **named: Any) -> Iterator[Any]:
        with closing(stream(*arguments, **named)) as found:
            for row in found:
                time.sleep(0.001)
                yield row

    return rows


if __name__ == "__main__":
    main()
