"""How fast a report is made, and in how much memory: `python -m tests.benchmarks.export`.

    python -m tests.benchmarks.export [--engine sqlite|postgresql] [--sizes 1000,100000] [--rounds 3]

Makes a throw-away database, fills it with the demo's objects and multiplies them. For each size a fresh
process exports the objects with their usual twelve columns, newest first, as an administrator: from the
database through the writer to a file in a storage. Beside it, in the same process and taking turns with it,
what bounds it: the same statement read and thrown away (on PostgreSQL by COPY), and the writer alone on rows
that are in memory. Prints medians, and by how much the process grew beyond what an export of ten rows left.
"By CPU" are the rows in a second of this process's own work: what a machine with nothing else to do comes to,
when its database has another core.
"""

import argparse
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SEED = 2_000
ZONE = ZoneInfo("Europe/Moscow")


def main() -> None:
    """Set a database up, then measure each size in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(chosen.measure, chosen.rounds)
        return
    sizes = [int(size) for size in chosen.sizes.split(",")]
    directory = Path(tempfile.mkdtemp(prefix="crm-benchmark-"))
    directory.chmod(0o755)
    server: Any = None
    try:
        if chosen.engine == "postgresql":
            from tests import throwaway

            server, url = throwaway.start_postgresql(directory)
        else:
            url = f"sqlite:///{directory}/benchmark.sqlite3"
        os.environ |= {
            "DATABASE_URL": url, "DEBUG": "false", "REDIS_URL": "", "RATE_LIMIT_ENABLED": "false",
            "SECRET_KEY": secrets.token_urlsafe(48), "JWT_SECRET": secrets.token_urlsafe(48),
            "DJANGO_SETTINGS_MODULE": "crm.settings",
            "LOG_LEVEL": "WARNING", "CRM_BENCHMARK_FILES": str(directory / "files"),
        }  # fmt: skip
        fill(max(sizes))
        say(f"{chosen.engine}, rows/s, medians of {chosen.rounds}\n\n" + HEADING)
        for size in sizes:
            command = (sys.executable, "-m", "tests.benchmarks.export", "--measure", str(size))
            subprocess.run((*command, "--rounds", str(chosen.rounds)), check=True)
    finally:
        if server is not None:
            throwaway.stop(server)
        shutil.rmtree(directory, ignore_errors=True)


HEADING = (
    "| rows | file | export | by CPU | database alone | writer alone | size | grew by |\n"
    "|---|---|---|---|---|---|---|---|\n"
)


def say(text: str) -> None:
    """Print at once: other processes print too."""
    sys.stdout.write(text)
    sys.stdout.flush()


def fill(rows: int) -> None:
    """The demo's company, then its objects again and again, with other moments, until they are enough."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from crm.db.bulk import refresh_statistics

    call_command("migrate", verbosity=0)
    call_command("seed_dictionaries", verbosity=0)
    call_command("seed_demo", objects=min(SEED, rows), verbosity=0)
    on_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        # The copies are as good as written by hand: what the triggers keep is copied along.
        if on_postgresql:
            cursor.execute("ALTER TABLE objects_object DISABLE TRIGGER USER")
        else:
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'objects_object'"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute("SELECT * FROM objects_object LIMIT 0")
        columns = [column[0] for column in cursor.description]
        later = (
            "updated_at + random() * interval '300 days'"
            if on_postgresql
            else "strftime('%Y-%m-%d %H:%M:%f', updated_at, (abs(random()) % 25920000) || ' seconds')"
        )
        fresh = {
            "id": "gen_random_uuid()" if on_postgresql else "lower(hex(randomblob(16)))",
            "updated_at": later,
        }
        values = ", ".join(fresh.get(column, column) for column in columns)
        while (missing := rows - count(cursor)) > 0:
            cursor.execute(
                f"INSERT INTO objects_object ({', '.join(columns)})"
                f" SELECT {values} FROM objects_object LIMIT {missing}"
            )
    refresh_statistics(connection, ["objects_object"])


def count(cursor: Any) -> int:
    """How many objects there are."""
    cursor.execute("SELECT count(*) FROM objects_object")
    return int(cursor.fetchone()[0])


def peak_bytes() -> int:
    """The most memory that this process has had. (What getrusage() says begins with its parent's.)"""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def timed(work: Callable[[], Any]) -> float:
    """How many seconds it took."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def measure(size: int, rounds: int) -> None:
    """Export that many rows as both formats, and print a line for each."""
    import django

    django.setup()

    for format_ in ("xlsx", "csv"):
        report = Report(format_)
        report.export(10)
        before = peak_bytes()
        size_in_bytes = report.export(size)
        grown = peak_bytes() - before
        taken: dict[str, list[float]] = {"export": [], "CPU": [], "database": [], "writer": []}
        for _round in range(rounds):
            busy = time.process_time()
            taken["export"].append(timed(lambda: report.export(size)))  # noqa: B023
            taken["CPU"].append(time.process_time() - busy)
            taken["database"].append(timed(lambda: report.read_alone(size)))  # noqa: B023
            taken["writer"].append(timed(lambda: report.write_alone(size)))  # noqa: B023
        speeds = " | ".join(f"{size / statistics.median(each):,.0f}" for each in taken.values())
        say(
            f"| {size:,} | {format_} | {speeds} | {size_in_bytes / 1e6:.1f} MB | {grown / 1e6:.1f} MB |\n"
        )


class Report:
    """The usual report of objects."""

    def __init__(self, format_: str) -> None:
        from crm.users.models import User
        from reports.columns import chosen

        self.format = format_
        self.user = User.objects.get(email="admin@example.com")
        self.columns = chosen("objects", None)
        self.files = Path(os.environ["CRM_BENCHMARK_FILES"])

    def queryset(self, size: int) -> Any:
        """The rows as the list has them, newest first."""
        from crm.api import listing
        from objects.models import Object
        from objects.views import ObjectViewSet

        keys = listing.sort_keys(ObjectViewSet.default_sort, ObjectViewSet.sorts, Object)
        return listing.ordered(Object.objects.visible_to(self.user), keys)[:size]

    def rows(self, size: int) -> Iterator[Any]:
        """The rows as the report has them."""
        from reports import rows

        return rows.stream(
            self.queryset(size), self.columns, user=self.user, raw=False, language="ru", zone=ZONE
        )

    def write(self, rows: Iterator[Any]) -> int:
        """Write the rows to a file and store it. Returns its bytes."""
        from django.core.files import File
        from django.core.files.storage import FileSystemStorage

        from reports import writers

        storage = FileSystemStorage(self.files)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "report"
            writers.write(
                path, format=self.format, title="Объекты", columns=self.columns, rows=rows,
                language="ru", raw=False, progress=lambda _rows: None,
            )  # fmt: skip
            with path.open("rb") as file:
                name = storage.save("report", File(file))
        size = storage.size(name)
        storage.delete(name)
        return size

    def export(self, size: int) -> int:
        """What the worker does."""
        return self.write(self.rows(size))

    def read_alone(self, size: int) -> None:
        """The same statement, its rows thrown away."""
        from django.db import connection

        named = {f"c{n}": column.expression() for n, column in enumerate(self.columns)}
        found = self.queryset(size).annotate(**named).values_list(*named)
        sql, parameters = found.query.sql_with_params()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY ({sql}) TO STDOUT", parameters) as copy:
                    for _block in copy:
                        pass
            else:
                cursor.execute(sql, parameters)
                while cursor.fetchmany(2000):
                    pass

    def write_alone(self, size: int) -> None:
        """The writer, on rows that are in memory already: the same thousand again and again."""
        self.write(islice(cycle(list(self.rows(1000))), size))


if __name__ == "__main__":
    main()
