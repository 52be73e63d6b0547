"""How long a phone's first sync takes, and what it costs the server: `python -m tests.benchmarks.first_sync`.

    python -m tests.benchmarks.first_sync [--engine sqlite|postgresql] [--objects 20000] [--limit 1000]

Makes a throw-away database with demo data (each object brings about six rows more), then pulls as an
administrator, a supervisor and an engineer. Every third answer is thrown away, as if the phone had been
killed, and asked for again. Prints rows a second, the slowest page, and by how much the process grew.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Set a database up and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--objects", type=int, default=20_000)
    parser.add_argument("--limit", type=int, default=1000)
    chosen = parser.parse_args()
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
            "SECRET_KEY": "x" * 40, "JWT_SECRET": "y" * 40, "DJANGO_SETTINGS_MODULE": "crm.settings",
            "LOG_LEVEL": "WARNING",
        }  # fmt: skip
        measure(chosen.objects, chosen.limit)
    finally:
        if server is not None:
            throwaway.stop(server)
        shutil.rmtree(directory, ignore_errors=True)


def measure(objects: int, limit: int) -> None:
    """Fill the database and pull as everybody."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from crm.db.bulk import refresh_statistics
    from crm.users.models import User
    from sync.entities import ENTITIES

    call_command("migrate", verbosity=0)
    call_command("seed_dictionaries", verbosity=0)
    call_command("seed_demo", objects=objects, verbosity=0)
    refresh_statistics(connection, [entity.table for entity in ENTITIES])
    for email in ("admin@example.com", "supervisor@example.com", "engineer1@example.com"):
        first_sync(User.objects.get(email=email), limit)


def resident_bytes() -> int:
    """The memory of this process now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def first_sync(user: Any, limit: int) -> None:
    """Pull everything, with every third answer lost."""
    from sync.entities import TABLES
    from sync.feed import pull

    before = peak = resident_bytes()
    held: dict[str, int] = {}
    cursor, more, pages, size = "", True, 0, 0
    slowest, spent = 0.0, 0.0
    while more:
        pages += 1
        begun = time.perf_counter()
        parts = pull(user, tables=TABLES, cursor=cursor, limit=limit)
        body = b"".join(parts)
        took = time.perf_counter() - begun
        peak = max(peak, resident_bytes())
        slowest, spent, size = max(slowest, took), spent + took, size + len(body)
        if pages % 3 == 0:
            continue
        page = json.loads(body)
        held |= {item["id"]: item["version"] for item in page["items"]}
        cursor, more = page["next_cursor"], page["has_more"]
    sys.stdout.write(
        f"{user.role:<10} {len(held):>7} rows in {pages} pages, {size / 1e6:.1f} MB, {spent:.2f} s "
        f"({len(held) / spent:,.0f} rows/s), slowest page {slowest * 1000:.0f} ms, "
        f"process grew by {(peak - before) / 1e6:.1f} MB (the phone's own {len(held)} ids included)\n"
    )


if __name__ == "__main__":
    main()
