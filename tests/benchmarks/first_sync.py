"""How long a phone's first sync takes, and what it costs the server: `python -m tests.benchmarks.first_sync`.

    python -m tests.benchmarks.first_sync [--engine sqlite postgresql] [--rows 1000 10000] [--limit 1000]

For each engine and number of rows: a throw-away database with demo data, a real server process (granian, as
in the demo), and phones of an administrator, a supervisor and an engineer, over HTTP with gzip. The phone is
killed after every page: one answer is cut off after its first bytes, the next comes whole, so each page is
asked for twice, on a new connection, from the cursor that was stored. Prints the table of docs/benchmarks.md:
times are those of the whole answers as the phone measures them; memory is the resident set of the server's
processes, sampled every 5 ms.
"""

import argparse
import gzip
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HOST = "127.0.0.1"
PEOPLE = {
    "admin@example.com": "admin123",
    "supervisor@example.com": "supervisor123",
    "engineer1@example.com": "engineer123",
}
# Rows that one object of the demo brings, itself included, about.
ROWS_TO_AN_OBJECT = 7
# So much of an answer arrives before the phone is killed.
CUT_OFF_BYTES = 512
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
HEAD = "| engine | rows | who | pages | s | rows/s | slowest page | raw | gzip | memory | peak | grew |"


class Server:
    """A web server process, and how much memory it and its children take."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST,
                "--port", str(self.port), "--workers", "1", "--blocking-threads", "4", "--no-ws",
                "--log-level", "warning", "crm.wsgi:application",
            ]
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("GET", "/health")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                break
        self.peak = 0
        self.stopped = threading.Event()
        self.watching = threading.Thread(target=self.watch, daemon=True)
        self.watching.start()

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        """An answer, on a connection of its own."""
        link = http.client.HTTPConnection(HOST, self.port, timeout=600)
        link.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        return link.getresponse()

    def family(self) -> list[int]:
        """The process and its children."""
        found = [self.process.pid]
        for pid in found:
            path = Path(f"/proc/{pid}/task/{pid}/children")
            found += [int(child) for child in path.read_text(encoding="ascii").split()]
        return found

    def resident(self) -> int:
        """Bytes in memory now."""
        pages = 0
        for pid in self.family():
            pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * PAGE_BYTES

    def watch(self) -> None:
        """Note the highest that it was."""
        while not self.stopped.wait(0.005):
            try:
                self.peak = max(self.peak, self.resident())
            except OSError:
                continue

    def stop(self) -> None:
        """End it."""
        self.stopped.set()
        self.watching.join()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser()
    engines = ("postgresql", "sqlite")
    parser.add_argument("--engine", nargs="+", choices=engines, default=engines)
    parser.add_argument("--rows", nargs="+", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--limit", type=int, default=1000)
    chosen = parser.parse_args()
    sys.stdout.write(f"{HEAD}\n|{'---|' * HEAD.count(' | ')}---|\n")
    for engine in chosen.engine:
        for rows in chosen.rows:
            with database(engine) as url:
                measure(engine, url, rows, chosen.limit)


@contextmanager
def database(engine: str) -> Iterator[str]:
    """The URL of a throw-away database."""
    directory = Path(tempfile.mkdtemp(prefix="crm-benchmark-"))
    directory.chmod(0o755)
    server: Any = None
    try:
        if engine == "postgresql":
            from tests import throwaway

            server, url = throwaway.start_postgresql(directory)
        else:
            url = f"sqlite:///{directory}/benchmark.sqlite3"
        yield url
    finally:
        if server is not None:
            throwaway.stop(server)
        shutil.rmtree(directory, ignore_errors=True)


def measure(engine: str, url: str, rows: int, limit: int) -> None:
    """Fill the database, start a server, and sync everybody's phone."""
    os.environ |= {
        "DATABASE_URL": url, "DEBUG": "false", "REDIS_URL": "", "RATE_LIMIT_ENABLED": "false",
        "SECRET_KEY": secrets.token_urlsafe(48), "JWT_SECRET": secrets.token_urlsafe(48),
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    # Settings are read once in a process.
    fill = [sys.executable, "-m", "tests.benchmarks.filling", str(round(rows / ROWS_TO_AN_OBJECT))]
    subprocess.run(fill, check=True, stdout=subprocess.DEVNULL)
    server = Server()
    try:
        tokens = {email: log_in(server, email, password) for email, password in PEOPLE.items()}
        for token in tokens.values():
            # What the server loads once is no part of a sync.
            pull(server, token, "", 10)
        for email, token in tokens.items():
            first_sync(server, token, limit, f"{engine} | {{rows:,}} | {email.partition('@')[0]}")
    finally:
        server.stop()


def log_in(server: Server, email: str, password: str) -> str:
    """An access token."""
    body = json.dumps({"username": email, "password": password}).encode()
    answer = server.ask("POST", "/api/v1/auth/token", body, content_type="application/json")
    token: str = json.load(answer)["access_token"]
    return token


def pull(server: Server, token: str, cursor: str, limit: int, *, cut_off: bool = False) -> bytes:
    """A page as it comes over the wire, or its beginning."""
    path = f"/api/v1/sync/changes?{urlencode({'cursor': cursor, 'limit': limit})}"
    bearer = f"Bearer {token}"
    answer = server.ask("GET", path, authorization=bearer, accept_encoding="gzip")
    assert answer.status == 200, answer.read()
    body = answer.read(CUT_OFF_BYTES) if cut_off else answer.read()
    answer.close()
    return body


def first_sync(server: Server, token: str, limit: int, title: str) -> None:
    """Pull everything, killed after each page."""
    held: dict[str, int] = {}
    cursor, more, times, raw, zipped = "", True, [], 0, 0
    time.sleep(0.2)
    before = server.peak = server.resident()
    while more:
        pull(server, token, cursor, limit, cut_off=True)
        begun = time.perf_counter()
        body = pull(server, token, cursor, limit)
        times.append(time.perf_counter() - begun)
        text = gzip.decompress(body)
        raw, zipped = raw + len(text), zipped + len(body)
        page = json.loads(text)
        held |= {item["id"]: item["version"] for item in page["items"]}
        cursor, more = page["next_cursor"], page["has_more"]
    assert json.loads(gzip.decompress(pull(server, token, cursor, limit)))["items"] == []
    spent = sum(times)
    sys.stdout.write(
        f"| {title.format(rows=len(held))} | {len(times)} | {spent:.2f} | {len(held) / spent:,.0f} "
        f"| {max(times) * 1000:.0f} ms | {raw / 1e6:.1f} MB | {zipped / 1e6:.1f} MB | {before / 1e6:.0f} MB "
        f"| {server.peak / 1e6:.0f} MB | {(server.peak - before) / 1e6:.1f} MB |\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
