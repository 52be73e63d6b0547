"""How each side of a piece of work is measured: times, rates, CPU, memory."""

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.client import Connection, one_by_one, side_by_side
from tests.benchmarks.ground import Ground
from tests.benchmarks.processes import cpu_seconds, forget_peak, peak_megabytes
from tests.benchmarks.work import Way, Work

MS = 1000
SUCCESS = (200, 201)


@dataclass
class Side:
    """What one side of a piece of work took. In seconds; CPU per request; memory in MB."""

    took: list[list[float]] = field(default_factory=list)
    web_cpu: list[float] = field(default_factory=list)
    database_cpu: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    peak: float = 0.0

    @property
    def median(self) -> float:
        """The median of the rounds' medians."""
        return statistics.median(statistics.median(each) for each in self.took)

    def percentile(self, share: float) -> float:
        """Over all rounds."""
        everything = sorted(one for each in self.took for one in each)
        return everything[min(len(everything) - 1, int(len(everything) * share))]

    def figures(self) -> dict[str, float]:
        """What is written down, times in milliseconds."""
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
        if self.peak:
            rounded["peak_mb"] = round(self.peak, 1)
        return {**rounded, "measured": float(sum(map(len, self.took)))}


@dataclass(frozen=True)
class Measuring:
    """Measures one side at a time. seconds: of each side in each round."""

    ground: Ground
    connection: Connection
    seconds: float
    connections: int

    def measure(self, work: Work, held: Side, way: Way) -> None:
        """One side of a piece of work, once more."""
        way.begin()
        prepare, call, pid = self.timed(work, way)
        if not held.took:
            call(prepare())
        if pid:
            forget_peak(pid)
        web, database = cpu_seconds(pid) if pid else 0.0, self.database_cpu()
        prepared_cpu = [0.0]

        def ready() -> Any:
            before = self.database_cpu()
            made = prepare()
            prepared_cpu[0] += self.database_cpu() - before
            return made

        took = one_by_one(ready if work.per > 1 else prepare, call, self.seconds)
        held.took.append(took)
        if self.ground.database_pid is not None:
            spent = self.database_cpu() - database - prepared_cpu[0]
            held.database_cpu.append(spent / len(took))
        if pid:
            held.web_cpu.append((cpu_seconds(pid) - web) / len(took))
            held.peak = max(held.peak, peak_megabytes(pid))
        if way.ask is not None and work.per == 1:
            port = self.ground.port
            rate = side_by_side(port, way.ask, self.connections, self.seconds / 2)
            held.rates.append(rate)

    def timed(
        self, work: Work, way: Way
    ) -> tuple[Callable[[], Any], Callable[[Any], object], int | None]:
        """What is prepared, what is timed, and the process that works for it."""
        if way.ask is not None:
            return way.ask, lambda made: self.asked(made, work), self.ground.web_pid
        assert way.call is not None
        # What the product does without its server is this process's own work.
        return way.prepare, way.call, os.getpid() if way is work.ours else None

    def asked(self, made: bytes, work: Work) -> None:
        """Ask, and insist on success."""
        status, body = self.connection.ask(made)
        if status not in SUCCESS:
            raise SystemExit(f"{made[:200]!r} was answered by {status}: {body[:500]!r}")
        if work.tell is not None:
            work.tell(body)

    def database_cpu(self) -> float:
        """The CPU time of the database server, where it is ours."""
        pid = self.ground.database_pid
        return 0.0 if pid is None else cpu_seconds(pid)
