"""The figures of runs as tables: for the terminal, and for docs/benchmarks.md.

    python -m tests.benchmarks.tables FILE.json …

writes the tables of these runs into docs/benchmarks.md, between `<!-- table: NAME -->` and `<!-- end -->`.
NAME: `requests|items ENGINE SIZE`, or `growth ENGINE` (of all runs of that engine). A table whose run is not
given stays as it is.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.servers import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
PLACE = re.compile(r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
REQUESTS = (
    "work", "p50 ms", "p95", "p99", "bare ms", "raw ms", "× bare", "× raw", "× bare, p10", "req/s",
    "bare req/s", "CPU web ms", "bare CPU", "CPU db ms", "peak MB",
)  # fmt: skip
ITEMS = (
    "work", "items", "items/s", "raw items/s", "of raw", "of raw, p90", "p50 ms", "p95", "p99",
    "items/s by CPU web", "items/s by CPU db", "peak MB",
)  # fmt: skip
# What the table of growth follows.
GROWING = (
    "list, 20 objects, filter", "list, 20 visits, administrator", "list, 20 visits, supervisor",
    "list, 20 visits, engineer", "list, 20 objects, engineer", "object detail", "last step of a cursor",
    "feed, first page of 1,000, supervisor", "feed, first page of 1,000, engineer",
    "feed, nothing new, engineer", "push, 1,000 new customers", "push, 1,000 edits of objects", "dashboard",
)  # fmt: skip
ALLOWED = 1.5
Report = dict[str, Any]
Line = Sequence[str]


def number(value: float | None, form: str = ".2f") -> str:
    """A figure, or a dash."""
    return "–" if value is None else format(value, form)


def ratio(one: float | None, other: float | None) -> str:
    """How many times the other."""
    return f"{one / other:.2f}" if one and other else "–"


def requests(report: Report) -> list[Line]:
    """Works of one item each: times."""
    return [REQUESTS, *(asked(*each) for each in report["works"].items() if each[1]["per"] == 1)]


def asked(name: str, work: dict[str, Any]) -> Line:
    """One line of it."""
    ours, bare, raw = work["ours"], work.get("bare", {}), work.get("raw", {})
    return (
        name, number(ours["p50_ms"]), number(ours["p95_ms"]), number(ours["p99_ms"]),
        number(bare.get("p50_ms")), number(raw.get("p50_ms")),
        ratio(ours["median_ms"], bare.get("median_ms")), ratio(ours["median_ms"], raw.get("median_ms")),
        ratio(ours["p10_ms"], bare.get("p10_ms")), number(ours.get("per_second"), ".0f"),
        number(bare.get("per_second"), ".0f"), number(ours.get("web_cpu_ms")),
        number(bare.get("web_cpu_ms")), number(ours.get("database_cpu_ms")),
        number(ours.get("peak_mb"), ".0f"),
    )  # fmt: skip


def items(report: Report) -> list[Line]:
    """Works of many items: items in a second."""
    return [ITEMS, *(worked(*each) for each in report["works"].items() if each[1]["per"] > 1)]


def worked(name: str, work: dict[str, Any]) -> Line:
    """One line of it."""
    ours, raw, per = work["ours"], work.get("raw", {}), work["per"]

    def speed(milliseconds: float | None) -> str:
        return f"{per / milliseconds * 1000:,.0f}" if milliseconds else "–"

    return (
        name, f"{per:,}", speed(ours["median_ms"]), speed(raw.get("median_ms")),
        ratio(raw.get("median_ms"), ours["median_ms"]), ratio(raw.get("p10_ms"), ours["p10_ms"]),
        number(ours["p50_ms"], ".0f"), number(ours["p95_ms"], ".0f"), number(ours["p99_ms"], ".0f"),
        speed(ours.get("web_cpu_ms")), speed(ours.get("database_cpu_ms")), number(ours.get("peak_mb"), ".0f"),
    )  # fmt: skip


def growth(reports: Sequence[Report]) -> list[Line]:
    """The same work at several sizes: times, and how they grow."""
    reports = sorted(reports, key=lambda report: report["objects"])
    sizes = [report["size"] for report in reports]
    head = ("work", *(f"{size}: ms" for size in sizes), f"{sizes[-1]} / {sizes[0]}", "of p10")
    lines: list[Line] = [head]
    for name in GROWING:
        found = [report["works"].get(name, {}).get("ours") for report in reports]
        there = [each for each in found if each]
        if not there:
            continue
        ends = (there[-1], there[0]) if len(there) > 1 else ({}, {})
        lines.append(
            (
                name,
                *(number(each and each["p50_ms"]) for each in found),
                ratio(ends[0].get("median_ms"), ends[1].get("median_ms")),
                ratio(ends[0].get("p10_ms"), ends[1].get("p10_ms")),
            )
        )
    return lines


def aligned(lines: Sequence[Line]) -> str:
    """For a terminal."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def markdown(lines: Sequence[Line]) -> str:
    """For a page."""
    head, *rest = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([head, f"|{'---|' * len(lines[0])}", *rest]) + "\n"


def facts(report: Report) -> str:
    """What was measured on, in a sentence."""
    return (
        f"{report['size']} objects, {report['engine']}, {report['workers']} workers of {report['threads']}"
        f" threads; {report['rounds']} rounds; req/s over {report['connections']} connections, of a client"
        f" that manages at most {report['client_ceiling_per_second']:,.0f}; load of the machine at the start"
        f" {report['load']:.1f} on {report['cpus']} cores."
    )


def written(page: str, reports: Sequence[Report]) -> str:
    """The page with the tables of these runs."""
    by_name = {f"{report['engine']} {report['size']}": report for report in reports}

    def table(found: re.Match[str]) -> str:
        kind, _, rest = found[2].partition(" ")
        if kind == "growth":
            same = [report for report in reports if report["engine"] == rest]
            made = markdown(growth(same)) if len(same) > 1 else None
        else:
            report = by_name.get(rest)
            make = {"requests": requests, "items": items}[kind]
            made = None if report is None else f"{facts(report)}\n\n{markdown(make(report))}"
        return found[0] if made is None else f"{found[1]}{made}{found[3]}"

    return PLACE.sub(table, page)


def main() -> None:
    """Write them."""
    reports = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), reports), encoding="utf-8")


if __name__ == "__main__":
    main()
