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
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import login, reads
from tests.benchmarks.client import Connection, one_by_one, side_by_side
from tests.benchmarks.ground import Ground, prepared
from tests.benchmarks.processes import cpu_seconds, peak_megabytes
from tests.benchmarks.work import request

KINDS = {"reads": reads, "login": login}
SIZES = {"1k": 1_000, "10k": 10_000, "50k": 50_000, "100k": 100_000, "1M": 1_000_000}
MS = 1000
HEAD = (
    "work, ours ms, p95, p99, bare ms, raw ms, ours/bare, ours/raw, p10 ours, p10 ours/bare,"
    " req/s, bare req/s, CPU web, bare CPU, CPU db"
)


@dataclass
class Side:
    """What one side of a piece of work took. In seconds; CPU per request."""

    took: list[list[float]] = field(default_factory=list)
    web_cpu: list[float] = field(default_factory=list)
    database_cpu: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the rounds' medians."""
        return statistics.median(statistics.median(each) for each in self.took)

    def percentile(self, share: float) -> float:
        """Over all rounds."""
        everything = sorted(one for each in self.took for one in each)
        return everything[min(len(everything) - 1, int(len(everything) * share))]

    def figures(self) -> dict[str, float]:
        """What is written down, in milliseconds."""
        found = {
            "median_ms": self.median,
            # What the others on this machine have disturbed least.
            "p10_ms": self.percentile(0.1),
            "p50_ms": self.percentile(0.5),
            "p95_ms": self.percentile(0.95),
            "p99_ms": self.percentile(0.99),
        }
        if self.web_cpu:
            found["web_cpu_ms"] = statistics.median(self.web_cpu)
        if self.database_cpu:
            found["database_cpu_ms"] = statistics.median(self.database_cpu)
        rounded = {name: round(value * MS, 3) for name, value in found.items()}
        if self.rates:
            rounded["per_second"] = round(statistics.median(self.rates), 1)
        return {**rounded, "measured": float(sum(map(len, self.took)))}


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="10k", help="how many objects")
    parser.add_argument("--engine", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--only", default=",".join(KINDS), help="kinds of work, comma-separated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each side in each round")
    parser.add_argument("--connections", type=int, default=4, help="at once, for the rate")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    parser.add_argument(
        "--database-url", default="", help="a database filled before, instead of a new one"
    )
    parser.add_argument("--json", type=Path, help="where to write all figures")
    return parser.parse_args()


def main() -> None:
    """Measure, and tell."""
    asked = parsed()
    with prepared(
        asked.engine, SIZES[asked.size],
        workers=asked.workers, threads=asked.threads, database_url=asked.database_url,
    ) as ground:  # fmt: skip
        works = [work for kind in asked.only.split(",") for work in KINDS[kind].works(ground)]
        measured: dict[str, dict[str, Side]] = {
            work.name: {side: Side() for side in work.ways()} for work in works
        }
        ceiling = side_by_side(
            ground.port, lambda: request("GET", "/bare/empty"), asked.connections, asked.seconds
        )
        connection = Connection(ground.port)
        measuring = Measuring(ground, connection, asked.seconds, asked.connections)
        for number in range(asked.rounds):
            say(f"round {number + 1} of {asked.rounds}")
            for work in works:
                for side, way in work.ways().items():
                    measuring.measure(measured[work.name][side], side, way)
        connection.close()
        report = {
            "size": asked.size, "engine": asked.engine, "rounds": asked.rounds, "seconds": asked.seconds,
            "workers": asked.workers, "threads": asked.threads, "connections": asked.connections,
            "python": platform.python_version(), "cpus": os.cpu_count(),
            "client_ceiling_per_second": round(ceiling, 1),
            "peak_memory_mb": round(peak_megabytes(ground.web_pid), 1),
            "works": {
                name: {side: held.figures() for side, held in sides.items()}
                for name, sides in measured.items()
            },
        }  # fmt: skip
    say(table(report))
    if asked.json:
        asked.json.write_text(
            json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


@dataclass(frozen=True)
class Measuring:
    """How each side is measured."""

    ground: Ground
    connection: Connection
    seconds: float
    connections: int

    def measure(self, held: Side, side: str, way: Any) -> None:
        """One side, once."""
        call: Callable[[], object] = way if side == "raw" else checked(self.connection, way)
        call()
        web, database = cpu_seconds(self.ground.web_pid), database_cpu(self.ground)
        took = one_by_one(call, self.seconds)
        held.took.append(took)
        if database is not None:
            held.database_cpu.append(((database_cpu(self.ground) or 0) - database) / len(took))
        if side != "raw":
            held.web_cpu.append((cpu_seconds(self.ground.web_pid) - web) / len(took))
            port = self.ground.port
            held.rates.append(side_by_side(port, way, self.connections, self.seconds / 2))


def checked(connection: Connection, ask: Callable[[], bytes]) -> Callable[[], object]:
    """Ask, and insist on success."""

    def call() -> None:
        status, body = connection.ask(ask())
        if status not in (200, 201):
            raise SystemExit(f"{ask()[:200]!r} was answered by {status}: {body[:500]!r}")

    return call


def database_cpu(ground: Ground) -> float | None:
    """The CPU time of the database server, where it is ours."""
    return None if ground.database_pid is None else cpu_seconds(ground.database_pid)


def table(report: dict[str, Any]) -> str:
    """The figures for people. Ratios: how many times the other side's time ours takes."""
    head = tuple(HEAD.split(", "))
    rows = [head, *(row(name, sides) for name, sides in report["works"].items())]
    widths = [max(len(line[i]) for line in rows) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(widths[0]) if not i else cell.rjust(widths[i]) for i, cell in enumerate(line)
        )
        for line in rows
    ]
    facts = (
        f"{report['size']} objects, {report['engine']}, {report['workers']} workers of {report['threads']}"
        f" threads; req/s over {report['connections']} connections, of a client that manages at most"
        f" {report['client_ceiling_per_second']:,.0f}; CPU in ms for a request; peak memory of a process"
        f" {report['peak_memory_mb']:.0f} MB"
    )
    return "\n".join([*lines, facts])


def row(name: str, sides: dict[str, dict[str, float]]) -> tuple[str, ...]:
    """One line of the table."""
    ours, bare, raw = sides["ours"], sides.get("bare"), sides.get("raw")

    def number(value: float | None, form: str = ".2f") -> str:
        return "–" if value is None else format(value, form)

    def ratio(other: dict[str, float] | None, figure: str = "median_ms") -> str:
        return f"{ours[figure] / other[figure]:.2f}" if other and other[figure] else "–"

    return (
        name, number(ours["median_ms"]), number(ours["p95_ms"]), number(ours["p99_ms"]),
        number(bare and bare["median_ms"]), number(raw and raw["median_ms"]), ratio(bare), ratio(raw),
        number(ours["p10_ms"]), ratio(bare, "p10_ms"),
        number(ours.get("per_second"), ".0f"), number(bare and bare.get("per_second"), ".0f"),
        number(ours.get("web_cpu_ms")), number(bare and bare.get("web_cpu_ms")),
        number(ours.get("database_cpu_ms")),
    )  # fmt: skip


def say(text: str | Iterable[str]) -> None:
    """To whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
