"""python -m tests.benchmarks.phones: how many phones, syncing every five minutes, one machine serves.

A sync is a push of two edits and a pull of what others did meanwhile. Phones come when their time is, not
when the server is free: at a rate that goes up step by step. Latency counts from the moment when the phone
wanted its answer, so that a queue is seen. The last two steps are beyond what can be served, and back to
little.

Ten phones share a district, so that a pull brings what nine others wrote since: that does not depend on how
fast simulated time runs. Everything (client, server, database) runs on this machine.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tests.benchmarks.ground import Ground, prepared
from tests.benchmarks.processes import cpu_seconds

INTERVAL_SECONDS: Final = 300
PHONES: Final = 600
TO_A_DISTRICT: Final = 10
LIMIT_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 60.0


@dataclass
class Phone:
    """One phone: its token, its cursor, and a few customers that it edits."""

    token: str
    records: list[str]
    cursor: str = ""
    busy: bool = False


@dataclass
class Step:
    """What was seen at one rate. Latencies in seconds, of whole syncs that succeeded."""

    rate: float
    seconds: float
    took: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    refused: int = 0
    broken: int = 0
    skipped: int = 0
    without_retry: int = 0
    busy: float = 0.0

    def told(self) -> dict[str, float]:
        """The figures."""
        return {
            "phones": round(self.rate * INTERVAL_SECONDS), "syncs_per_second": self.rate,
            "served_per_second": round(len(self.took) / self.seconds, 1),
            "request_p50_ms": percentile(self.requests, 0.5),
            "request_p95_ms": percentile(self.requests, 0.95),
            "request_p99_ms": percentile(self.requests, 0.99), "sync_p95_ms": percentile(self.took, 0.95),
            "refused": self.refused, "refused_without_retry_after": self.without_retry, "broken": self.broken,
            "skipped": self.skipped,
            "server_cpu_share": round(self.busy / self.seconds, 2),
        }  # fmt: skip

    @property
    def good(self) -> bool:
        """Whether nearly everybody was answered in time, and nobody refused."""
        return (
            not self.refused
            and not self.broken
            and percentile(self.requests, 0.95) < LIMIT_SECONDS * 1000
        )


def percentile(values: Sequence[float], share: float) -> float:
    """In milliseconds; infinite when there are none."""
    ordered = sorted(values)
    if not ordered:
        return float("inf")
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


def crew(phones: int) -> list[Phone]:
    """People with a district for ten each, the objects of the demo spread over these, and their sessions."""
    from django.utils import timezone

    from clients.models import Customer
    from crm.db.bulk import refresh_statistics
    from crm.territory.models import City, District
    from crm.users import tokens
    from crm.users.models import Session, User
    from objects.models import Object
    from sync.entities import ENTITIES

    city = City.objects.create(name=f"Город {uuid4().hex[:6]}")
    districts = District.objects.bulk_create(
        [District(name=f"Район {n}", city=city) for n in range(max(1, phones // TO_A_DISTRICT))]
    )
    ids = list(Object.objects.order_by("pk").values_list("pk", flat=True))
    for n, district in enumerate(districts):
        share = ids[n :: len(districts)]
        Object.objects.filter(pk__in=share).update(
            city=city, district=district, responsible_user=None
        )
    found = []
    for n in range(phones):
        district = districts[n % len(districts)]
        user = User.objects.create(
            email=f"phone{n}-{uuid4().hex[:6]}@example.com", full_name=f"Инженер {n}", role="ENGINEER",
            city=city, district=district,
        )  # fmt: skip
        now = timezone.now()
        session = Session.objects.create(
            user=user, issued_at=now, expires_at=now + timedelta(days=1)
        )
        known = list(
            Customer.objects.filter(object__district=district).values_list("pk", flat=True)[:500]
        )
        mine = known[n // len(districts) :: TO_A_DISTRICT]
        found.append(Phone(tokens.mint(session).access_token, [str(pk) for pk in mine]))
    from django.db import connection

    refresh_statistics(connection, [entity.table for entity in ENTITIES])
    return found


@dataclass(frozen=True)
class Line:
    """One connection of a phone."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    token: str


class Field:
    """The phones out there, and the server that they talk to."""

    def __init__(self, ground: Ground, phones: list[Phone], seed: int) -> None:
        self.ground, self.phones = ground, phones
        self.chance = random.Random(seed)

    async def walk(self, rate: float, seconds: float) -> Step:
        """So many syncs a second begin, evenly on average, for so long."""
        step = Step(rate, seconds)
        before = cpu_seconds(self.ground.web_pid) + cpu_seconds(
            self.ground.database_pid or os.getpid()
        )
        begun = time.perf_counter()
        due, under_way = 0.0, []
        while (due := due + self.chance.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
            free = [phone for phone in self.chance.sample(self.phones, 20) if not phone.busy]
            if not free:
                # Twenty of twenty wait for an answer already: more phones would be needed to see more.
                step.skipped += 1
                continue
            free[0].busy = True
            under_way.append(asyncio.create_task(self.sync(free[0], begun + due, step)))
        step.busy = (
            cpu_seconds(self.ground.web_pid)
            + cpu_seconds(self.ground.database_pid or os.getpid())
            - before
        )
        await asyncio.gather(*under_way)
        return step

    async def sync(self, phone: Phone, wanted: float, step: Step | None) -> None:
        """A push and a pull on one connection."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.ground.port)
                try:
                    done = await self.talk(reader, writer, phone, wanted, step)
                finally:
                    writer.close()
            if done and step is not None:
                step.took.append(time.perf_counter() - wanted)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            if step is not None:
                step.broken += 1
        finally:
            phone.busy = False

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, phone: Phone, wanted: float,
        step: Step | None,
    ) -> bool:  # fmt: skip
        """Whether both were answered well."""
        if step is not None:
            items = [
                {
                    "client_generated_id": one,
                    "table_name": "customers",
                    "payload": {"notes": uuid4().hex},
                }
                for one in self.chance.sample(phone.records, 2)
            ]
            body = {"items": items, "strategy": "force"}
            if not await self.ask(
                Line(reader, writer, phone.token), ("POST", "/sync/batch"), body, wanted, step
            ):
                return False
            wanted = time.perf_counter()
        more = True
        while more:
            path = f"/sync/changes?limit=1000&cursor={phone.cursor}"
            page = await self.ask(
                Line(reader, writer, phone.token), ("GET", path), None, wanted, step
            )
            if not page:
                return False
            phone.cursor, more = page["next_cursor"], page["has_more"]
            wanted = time.perf_counter()
        return True

    async def ask(
        self, line: "Line", call: tuple[str, str], body: Any, wanted: float, step: Step | None
    ) -> Any:
        """The answer's JSON; None for a refusal. X-Request-Start is what a proxy in front would set."""
        content = b"" if body is None else json.dumps(body).encode()
        came = int((time.time() - (time.perf_counter() - wanted)) * 1000)
        method, path = call
        line.writer.write(
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {line.token}\r\n"
            f"X-Request-Start: {came}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        head = (await line.reader.readuntil(b"\r\n\r\n")).decode().lower()
        answer = await whole_body(line.reader, head)
        status = int(head[9:12])
        if step is not None:
            if status == 200:
                step.requests.append(time.perf_counter() - wanted)
            elif status in (429, 503):
                step.refused += 1
                step.without_retry += "retry-after: " not in head
            else:
                step.broken += 1
        return json.loads(answer) if status == 200 else None


async def whole_body(reader: asyncio.StreamReader, head: str) -> bytes:
    """The body, chunked or not."""
    if "transfer-encoding: chunked" not in head:
        return await reader.readexactly(
            int(head.partition("content-length: ")[2].partition("\r")[0])
        )
    parts = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(parts)


async def measured(ground: Ground, phones: list[Phone], asked: argparse.Namespace) -> list[Step]:
    """Up until it is too much, then twice what was good, then half of it."""
    out_there = Field(ground, phones, asked.seed)
    for phone in phones:
        await out_there.sync(phone, time.perf_counter(), None)
    await out_there.walk(asked.rates[0], asked.seconds / 2)
    steps: list[Step] = []
    for rate in asked.rates:
        steps.append(await out_there.walk(rate, asked.seconds))
        say(steps[-1])
        if not steps[-1].good:
            break
    best = max((step.rate for step in steps if step.good), default=asked.rates[0])
    for rate in (asked.beyond * best, best / 2):
        steps.append(await out_there.walk(rate, asked.seconds * 2))
        say(steps[-1])
    return steps


def say(step: Step) -> None:
    """One line."""
    print(json.dumps(step.told()), flush=True)  # noqa: T201


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--phones", type=int, default=PHONES, help="how many take turns")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each step")
    parser.add_argument(
        "--beyond", type=float, default=3.0, help="times what was good, for the overload"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rates", type=lambda text: [float(each) for each in text.split(",")],
        default=[5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100], help="syncs a second, comma-separated",
    )  # fmt: skip
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    # As behind the proxy of docker-compose.yml.
    os.environ["TRUSTED_PROXY_COUNT"] = "1"
    with prepared("postgresql", asked.objects, workers=os.cpu_count() or 1, threads=1) as ground:
        load = os.getloadavg()[0]
        steps = asyncio.run(measured(ground, crew(asked.phones), asked))
    good = max((step.rate for step in steps if step.good), default=0.0)
    report = {
        "phones_held": round(good * INTERVAL_SECONDS), "load_before": round(load, 1),
        "objects": asked.objects, "steps": [step.told() for step in steps],
        "median_of_medians_ms": statistics.median(step.told()["request_p50_ms"] for step in steps),
    }  # fmt: skip
    print(json.dumps(report, indent=2))  # noqa: T201
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
