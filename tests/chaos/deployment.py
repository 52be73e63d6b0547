"""The deployment: what docker-compose.yml starts, on loopback, and somebody who starts again what died.

Only the times of background jobs are shorter than in a production (TIMES), so that a run of half a minute
sees leases run out and attempts repeated.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.demo import redis_command
from tests import throwaway
from tests.chaos.guardian import kill_sessions
from tests.servers import ROOT

# Seconds: lease of a job, tick of a worker, pause before each further attempt.
TIMES = (5, 1, 2)
WEB_PROCESSES = 2
WORKERS = 2
# As Docker's `restart: unless-stopped` does it.
RESTART_SECONDS = 0.2
START_SECONDS = 60
STOP_SECONDS = 10

POSTGRESQL = {
    "listen_addresses": "127.0.0.1",
    # No machine loses its power here; processes are killed, and what they have written stays written.
    "fsync": "off",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "60s",
    "max_connections": "60",
    "random_page_cost": "1.1",
}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(directory: Path, database: int, redis: int) -> dict[str, str]:
    """A production's settings. Limits are counted, but so high that nobody meets them."""
    return {
        "DATABASE_URL": f"postgres://postgres@127.0.0.1:{database}/postgres",
        "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
        "DEBUG": "false", "LOG_LEVEL": "INFO", "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": secrets.token_urlsafe(48), "JWT_SECRET": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "127.0.0.1",
        "ACCESS_TOKEN_MINUTES": "1440", "REPORTS_PATH": str(directory / "reports"),
        "RATE_LIMIT_ADMIN": "1000000", "RATE_LIMIT_SUPERVISOR": "1000000",
        "RATE_LIMIT_ENGINEER": "1000000", "RATE_LIMIT_LOGIN_ADDRESS": "1000000",
    }  # fmt: skip


@dataclass
class Service:
    """One process (with its children) that is started again when it ends. stopped: on purpose, for now."""

    name: str
    begin: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False
    starts: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """A signal to the process alone; nothing when it is gone."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    def kill_all(self) -> None:
        """kill -9 of the process and of everything it has started."""
        if self.process is not None:
            kill_sessions({self.process.pid})
            self.process.wait()

    def children(self) -> list[int]:
        """The living children of the process."""
        if self.process is None:
            return []
        pid = self.process.pid
        with suppress(OSError):
            listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            return [int(word) for word in listed.split()]
        return []


class Deployment:
    """Everything that runs (a context manager). Afterwards nothing of it is left, however the run ends."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="crm-chaos-"))
        # PostgreSQL may have to run as somebody else, who must be able to enter.
        self.directory.chmod(0o755)
        self.guardian = subprocess.Popen(
            (sys.executable, "-m", "tests.chaos.guardian", str(self.directory)),
            cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.database_port, self.redis_port, self.web_port = free_port(), free_port(), free_port()
        self.environment = environment(self.directory, self.database_port, self.redis_port)
        self.cluster: throwaway.Cluster | None = None
        self.postgresql = Service("postgresql", self._begin_postgresql)
        self.redis = Service("redis", self._begin_redis)
        self.web = Service("web", self._begin_web)
        self.workers = [Service(f"worker-{n}", self._begin_worker) for n in range(WORKERS)]
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    @property
    def services(self) -> list[Service]:
        """All of them, in the order of their start."""
        return [self.postgresql, self.redis, self.web, *self.workers]

    # --- beginning and end ---

    def __enter__(self) -> "Deployment":
        self.cluster = throwaway.make_cluster(
            self.directory, {**POSTGRESQL, "port": str(self.database_port)}
        )
        for service in (self.postgresql, self.redis):
            self.start(service)
        os.environ |= self.environment
        return self

    def serve(self) -> None:
        """Start web processes and workers, and from now on whatever ends."""
        for service in (self.web, *self.workers):
            self.start(service)
        wait_until(self.answers, "an answer of the web server")
        self._keeper.start()

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for service in reversed(self.services):
            with service.lock:
                service.stopped = True
                service.kill_all()
        self.guardian.communicate()

    def start(self, service: Service) -> None:
        """Start it, and let the guardian know."""
        with service.lock:
            if service.stopped:
                return
            service.process = service.begin()
            service.starts += 1
            self.guard(service.process)

    def guard(self, process: subprocess.Popen[bytes]) -> None:
        """Whatever becomes of the run, this session ends with it."""
        assert self.guardian.stdin is not None
        self.guardian.stdin.write(f"{process.pid}\n".encode())
        self.guardian.stdin.flush()

    def _keep(self) -> None:
        while not self._ended.wait(RESTART_SECONDS):
            for service in self.services:
                if not service.stopped and not service.alive():
                    # What it has started must not be in the way of its successor.
                    service.kill_all()
                    # It may not come up at once; there is a next time.
                    with suppress(SystemExit):
                        self.start(service)

    def answers(self) -> bool:
        """Whether the web server takes connections."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.web_port), 1):
            return True
        return False

    # --- each of them ---

    def run(
        self, name: str, command: list[str], more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """One process, the head of a session, with a log of its own."""
        with (self.directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **self.environment, **(more or {})},
                start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _begin_postgresql(self) -> subprocess.Popen[bytes]:
        assert self.cluster is not None
        return self.cluster.start()

    def _begin_redis(self) -> subprocess.Popen[bytes]:
        command = redis_command(self.directory / "unused", self.directory)
        if command is None:
            raise SystemExit("No Redis here: there is nothing to break.")
        arguments = ("--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "")
        process = self.run("redis", [command[0], *arguments])
        wait_until(lambda: listens(self.redis_port) or process.poll() is not None, "Redis")
        return process

    def _begin_web(self) -> subprocess.Popen[bytes]:
        # The command of the Dockerfile with the variables of docker-compose.yml.
        return self.run(
            "web",
            [sys.executable, "-m", "granian", "--no-ws", "tests.chaos.served:application"],
            {
                "GRANIAN_HOST": "127.0.0.1", "GRANIAN_PORT": str(self.web_port),
                "GRANIAN_INTERFACE": "wsgi", "GRANIAN_WORKERS": str(WEB_PROCESSES),
                "GRANIAN_BLOCKING_THREADS": "1", "GRANIAN_RESPAWN_FAILED_WORKERS": "true",
                "GRANIAN_RESPAWN_INTERVAL": "0.5",
            },
        )  # fmt: skip

    def _begin_worker(self) -> subprocess.Popen[bytes]:
        times = [str(each) for each in TIMES]
        return self.run("worker", [sys.executable, "-m", "tests.jobs.workers", *times])


def listens(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_until(holds: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> float:
    """Seconds until that held. Raises SystemExit when it never does."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise SystemExit(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun
