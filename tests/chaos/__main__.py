"""`make chaos`, or python -m tests.chaos [--minutes 3]: break a deployment, and count what is left.

Starts what docker-compose.yml starts (two web processes, two workers, PostgreSQL, Redis) on loopback, puts
phones, supervisors and exports to work on it, and meanwhile kills, fills and cuts (tests/chaos/faults.py).
Then everybody comes to rest, and everything that was acknowledged is looked for (tests/chaos/reckoning.py).
The exit status is 1 when anything is missing, doubled, leaked, hung, or was a 500.
"""

import argparse
import json
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from tests.chaos.deployment import Deployment, wait_until

SETTLE_SECONDS = 90
CALM_SECONDS = 1.0
OBJECTS = 200
MOST_FINDINGS = 40


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="how long it is being broken")
    parser.add_argument("--seed", type=int, default=1, help="of everybody's choices")
    parser.add_argument(
        "--faults", help="only those whose names contain one of these words, each once at least"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--logs", type=Path, help="a directory for the logs of all processes")
    return parser.parse_args()


def main() -> int:
    """Break it, and tell."""
    asked = parsed()
    # `finally` must come to its turn.
    signal.signal(signal.SIGTERM, stop)
    with Deployment() as deployment:
        try:
            report = broken(deployment, asked)
        finally:
            if asked.logs:
                keep_logs(deployment.directory, asked.logs)
    say(table(report))
    if asked.json:
        asked.json.write_text(
            json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return 1 if report["findings"] else 0


def stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends the run as Ctrl-C does."""
    raise KeyboardInterrupt


def keep_logs(source: Path, target: Path) -> None:
    """Copy what the processes said."""
    target.mkdir(parents=True, exist_ok=True)
    for log in source.glob("*.log"):
        (target / log.name).write_bytes(log.read_bytes())


def broken(deployment: Deployment, asked: argparse.Namespace) -> dict[str, Any]:
    """The whole run: the figures, with the findings among them."""
    fill()
    # They need Django's apps.
    from django.db import connection

    from tests.chaos import load, reckoning
    from tests.chaos.faults import Probe, Trouble
    from tests.chaos.wire import Wire
    from tests.chaos.witness import Witness

    before, known = state_of_now()
    begun = time.monotonic()
    deployment.serve()
    cold_start = time.monotonic() - begun
    witness = Witness()
    with Wire(deployment.web_port, asked.seed) as wire:
        phones, others = load.crowd(wire.port, witness, asked.seed)
        probe = Probe(wire.port, witness)
        trouble = Trouble(deployment, wire, probe, asked.seed)
        if asked.faults:
            words = asked.faults.split(",")
            trouble.faults = [
                each for each in trouble.faults if any(word in each[0] for word in words)
            ]
        begun = time.monotonic()
        for client in (*phones, *others, probe):
            client.start()
        wait_until(lambda: probe.well_since(begun) is not None, "a first answer")
        trouble.boss.log_in("admin@example.com", load.PASSWORDS["admin@example.com"])
        number, end = 0, time.monotonic() + asked.minutes * 60
        while time.monotonic() < end or number < len(trouble.faults):
            time.sleep(CALM_SECONDS)
            trouble.cause(number)
            told = trouble.told[-1]
            say(f"{told.began - begun:6.1f} s  {told.name}: well after {told.recovered_in:.1f} s")
            number += 1
        time.sleep(CALM_SECONDS)
        lasted = time.monotonic() - begun
        say("Everybody comes to rest …")
        for client in (*others, probe):
            client.stopping.set()
        for client in (*others, probe):
            client.join(60)
        for phone in phones:
            phone.stopping.set()
        for phone in phones:
            phone.join(200)
        # This process's own connection has not outlived PostgreSQL.
        connection.close()
        hung = [one.who for one in (*phones, *others) if one.is_alive()]
        jobs_rested = rest()
    trail = reckoning.Trail(known)
    checks: dict[str, Iterator[str]] = {
        "clients": iter([*witness.wrong, *(f"{who} hangs" for who in hung)]),
        "answers": reckoning.answers(witness.seen, trouble.told),
        "recovery": reckoning.recoveries(trouble.told, cold_start),
        "writes": reckoning.writes(witness, trail),
        "creations": reckoning.creations(witness, trail),
        "versions": reckoning.versions(before, trail),
        "counters": reckoning.counters(),
        "phones": reckoning.phones(phones),
        "jobs": reckoning.jobs(witness),
    }
    findings = [f"{name}: {each}" for name, all_ in checks.items() for each in all_]
    return {
        "seconds": round(lasted, 1),
        "seed": asked.seed,
        "cold_start_seconds": round(cold_start, 1),
        "faults": faults_told(trouble.told),
        "answers": {str(code or "broken off"): n for code, n in sorted(witness.statuses().items())},
        "slowest_answer_seconds": round(max(each.seconds for each in witness.seen), 2),
        "median_answer_ms": round(statistics.median(e.seconds for e in witness.seen) * 1000, 1),
        "writes_promised": len({str(write.value) for write in witness.promised}),
        "writes_refused": len(witness.refused),
        "writes_without_answer": len(witness.unknown),
        "records_created": len(set(witness.created)),
        "syncs": sum(phone.syncs for phone in phones),
        "records_on_phones": sum(len(phone.held) for phone in phones),
        "connections_cut": wire.cuts,
        "exports": exports_told(),
        "jobs_at_rest_after_seconds": round(jobs_rested, 1),
        "findings": findings,
    }  # fmt: skip


def fill() -> None:
    """A small company."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("seed_demo", objects=OBJECTS, untold=True, verbosity=0)


def state_of_now() -> tuple[dict[Any, int], set[Any]]:
    """Each record's version, and the ids of the trail's entries."""
    from audit.models import AuditEntry
    from sync.entities import ENTITIES

    versions = {
        pk: version
        for entity in ENTITIES
        for pk, version in entity.model._base_manager.values_list("pk", "version")
    }
    return versions, set(AuditEntry.objects.values_list("pk", flat=True))


def rest() -> float:
    """Wait until no job waits or is being worked on, but not for ever; how long that took."""
    from crm.jobs.models import ACTIVE
    from reports.models import ReportJob

    try:
        return wait_until(
            lambda: not ReportJob.objects.filter(status__in=ACTIVE).exists(), "jobs", SETTLE_SECONDS
        )
    except SystemExit:
        return float(SETTLE_SECONDS)


def faults_told(told: Sequence[Any]) -> list[dict[str, Any]]:
    """Each kind of fault: how often, and the recoveries."""
    names = list(dict.fromkeys(each.name for each in told))
    found = []
    for name in names:
        times = [each.recovered_in for each in told if each.name == name]
        found.append(
            {
                "fault": name, "times": len(times), "median_seconds": round(statistics.median(times), 2),
                "worst_seconds": round(max(times), 2) if min(times) >= 0 else None,
            }
        )  # fmt: skip
    return found


def exports_told() -> dict[str, Any]:
    """How exports ended, and how long they took."""
    from collections import Counter

    from reports.models import ReportJob

    rows = list(ReportJob.objects.all())
    took = [(job.completed_at - job.created_at).total_seconds() for job in rows if job.completed_at]
    return {
        **Counter(job.status for job in rows),
        "tried_again": sum(job.attempts > 1 for job in rows),
        "slowest_seconds": round(max(took, default=0), 1),
    }


def table(report: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"\n{'fault':<52}{'times':>6}{'median s':>10}{'worst s':>9}"]
    lines += [
        f"{one['fault']:<52}{one['times']:>6}{one['median_seconds']:>10}{one['worst_seconds'] or 'never':>9}"
        for one in report["faults"]
    ]
    lines.append("")
    lines += [
        f"{name.replace('_', ' '):<34}{value}"
        for name, value in report.items()
        if name not in {"faults", "findings"}
    ]
    findings = report["findings"]
    lines.append(
        f"\n{len(findings)} findings"
        + (":" if findings else ": everything is where it was promised.")
    )
    lines += [f"  {each}" for each in findings[:MOST_FINDINGS]]
    return "\n".join(lines)


def say(text: str) -> None:
    """To whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
