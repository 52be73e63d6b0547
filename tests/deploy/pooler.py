"""A PgBouncer in transaction mode in front of this run's PostgreSQL."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import connection

START_SECONDS = 20
# As docs/operations.md has it, but for the size: clients must have to share.
INI = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
logfile = {directory}/pgbouncer.log
pidfile = {directory}/pgbouncer.pid
"""


def pgbouncer() -> str | None:
    """The binary, where this machine has one."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def pooled(directory: Path, size: int) -> Iterator[str]:
    """The URL of this run's test database through a pool of so many server connections."""
    binary = pgbouncer()
    assert binary is not None
    url = urlsplit(os.environ["DATABASE_URL"])
    host = parse_qs(url.query).get("host", [url.hostname or "127.0.0.1"])[0]
    server = f"host={host} port={url.port or 5432} user={url.username or 'postgres'}"
    if url.password:
        server += f" password={url.password}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    directory.mkdir(mode=0o755)
    (directory / "pgbouncer.ini").write_text(
        INI.format(server=server, port=port, size=size, directory=directory), encoding="utf-8"
    )
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        # It refuses to run as root.
        nobody = pwd.getpwnam("nobody")
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    process = subprocess.Popen(
        (binary, "-q", str(directory / "pgbouncer.ini")),
        **account, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port, process, directory / "pgbouncer.log")
        user = url.username or "postgres"
        yield f"postgres://{user}@127.0.0.1:{port}/{connection.settings_dict['NAME']}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once it listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            alive = process.poll() is None and time.monotonic() < deadline
            assert alive, log.read_text() if log.exists() else "PgBouncer does not start"
            time.sleep(0.05)
        else:
            return
