"""`make bench`, or python -m tests.benchmarks: what the product costs beside the database it works on.

Starts PostgreSQL and Redis as the tests do, fills them with demo data, starts the real server, and does each
piece of work in turn by the product, by a bare view of the same server, and by SQL alone: several rounds of
all of them, interleaved, so that whatever else the machine does meets all sides. Read the ratios.

A kind of work is a module with `works(ground) -> list[Work]`, named in KINDS.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import dashboards, exports, feeds, login, pushes, reads, tables
from tests.benchmarks.client import Connection, side_by_side
from tests.benchmarks.ground import SERVERS, prepared
from tests.benchmarks.measuring import Measuring, Side
from tests.benchmarks.processes import peak_megabytes
from tests.benchmarks.work import Work, request

# Pushes last: they add rows.
KINDS = {
    "reads": reads,
    "dashboards": dashboards,
    "login": login,
    "feeds": feeds,
    "exports": exports,
    "pushes": pushes,
}
SIZES = {"1k": 1_000, "10k": 10_000, "50k": 50_000, "100k": 100_000, "1M": 1_000_000}


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="10k", help="how many objects")
    parser.add_argument("--engine", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--only", default=",".join(KINDS), help="kinds of work, comma-separated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each side in each round")
    parser.add_argument("--connections", type=int, default=4, help="at once, for the rate")
    parser.add_argument("--server", choices=SERVERS, default="granian")
    parser.add_argument("--workers", type=int, help="processes; one for each core, on SQLite one")
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    parser.add_argument("--pool", action="store_true", help="a psycopg pool, one for each worker")
    parser.add_argument(
        "--database-url", default="", help="a database filled before, instead of a new one"
    )
    parser.add_argument("--json", type=Path, help="where to write all figures")
    asked = parser.parse_args()
    if asked.workers is None:
        asked.workers = 1 if asked.engine == "sqlite" else os.cpu_count() or 1
    return asked


def main() -> None:
    """Measure, and tell."""
    asked = parsed()
    load, begun = os.getloadavg()[0], time.monotonic()
    with prepared(
        asked.engine, SIZES[asked.size], server=asked.server, pool=asked.pool,
        workers=asked.workers, threads=asked.threads, database_url=asked.database_url,
    ) as ground:  # fmt: skip
        say(f"filled and started in {time.monotonic() - begun:.0f} s")
        works = [work for kind in asked.only.split(",") for work in KINDS[kind].works(ground)]
        ceiling = side_by_side(
            ground.port, lambda: request("GET", "/bare/empty"), asked.connections, asked.seconds
        )
        connection = Connection(ground.port)
        sides = in_turns(
            Measuring(ground, connection, asked.seconds, asked.connections), works, asked.rounds
        )
        connection.close()
        report = {
            "size": asked.size, "objects": SIZES[asked.size], "engine": asked.engine,
            "server": asked.server, "pool": asked.pool, "rounds": asked.rounds, "seconds": asked.seconds,
            "workers": asked.workers, "threads": asked.threads, "connections": asked.connections,
            "python": platform.python_version(), "cpus": os.cpu_count(), "load": load,
            "client_ceiling_per_second": round(ceiling, 1),
            "peak_memory_mb": round(peak_megabytes(ground.web_pid), 1),
            "works": {
                work.name: {
                    "per": work.per,
                    **{side: held.figures() for side, held in sides[work.name].items()},
                }
                for work in works
            },
        }  # fmt: skip
    shown = [lines for lines in (tables.requests(report), tables.items(report)) if len(lines) > 1]
    say("\n\n".join([*map(tables.aligned, shown), tables.facts(report)]))
    say(f"all in all {time.monotonic() - begun:.0f} s")
    if asked.json:
        asked.json.write_text(
            json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def in_turns(measuring: Measuring, works: list[Work], rounds: int) -> dict[str, dict[str, Side]]:
    """All sides of all works, taking turns."""
    measured: dict[str, dict[str, Any]] = {
        work.name: {side: Side() for side in work.ways()} for work in works
    }
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for work in works:
            for side, way in work.ways().items():
                measuring.measure(work, measured[work.name][side], way)
    return measured


def say(text: str) -> None:
    """To whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
