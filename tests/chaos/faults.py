"""What is done to the deployment, and how long it takes to be itself again."""

import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.deployment import Deployment, Service, wait_until
from tests.chaos.load import PASSWORDS
from tests.chaos.wire import Wire
from tests.chaos.witness import Caller, Witness

# How long a server stays away, a folder full, a network bad.
AWAY_SECONDS: Final = 1.5
BAD_SECONDS: Final = 3.0
# A recovery that takes longer is waited for all the same, to tell how long it took.
PATIENCE_SECONDS: Final = 60.0
IN_A_ROW: Final = 4
# Bytes that a file may have when the folder is "full".
FULL_BYTES: Final = 2048


@dataclass(frozen=True, slots=True)
class Told:
    """One fault: when it began and ended, and seconds until everything answered again. -1: never."""

    name: str
    began: float
    ended: float
    recovered_in: float


class Probe(threading.Thread):
    """Reads and writes all the time, as somebody with nothing else to do; knows whether that works."""

    def __init__(self, port: int, witness: Witness) -> None:
        super().__init__(name="probe", daemon=True)
        self.caller = Caller("probe", port, witness)
        # When each try began, when it ended, and whether it went well.
        self.tries: list[tuple[float, float, bool]] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        """Until told to stop."""
        number = 0
        while not self.stopping.wait(0.1):
            number += 1
            begun = time.monotonic()
            good = self.works(number)
            self.tries.append((begun, time.monotonic(), good))

    def works(self, number: int) -> bool:
        """Whether a read and a write succeed now."""
        try:
            if not self.caller.token:
                return (
                    self.caller.log_in(
                        "engineer.kazan@example.com", PASSWORDS["engineer.kazan@example.com"]
                    )
                    == 200
                )
            write = {"full_name": f"Проба {number}"}
            return (
                self.caller.ask("GET", "/api/v1/objects?limit=1")[0] == 200
                and self.caller.ask("PATCH", "/api/v1/users/me", write)[0] == 200
            )
        except OSError:
            return False

    def well_since(self, moment: float) -> float | None:
        """When the first try of the first good series was answered; all of them began after the moment."""
        series: list[float] = []
        for _begun, answered, good in [each for each in self.tries if each[0] >= moment]:
            series = [*series, answered] if good else []
            if len(series) == IN_A_ROW:
                return series[0]
        return None


class Trouble:
    """Makes it, one fault after another."""

    def __init__(self, deployment: Deployment, wire: Wire, probe: Probe, seed: int) -> None:
        self.there, self.wire, self.probe = deployment, wire, probe
        self.chance = random.Random(seed)
        self.told: list[Told] = []
        # Probes answer 503 without an envelope: not what clients see.
        self.boss = Caller("boss", wire.port, Witness())
        self.faults: list[tuple[str, Callable[[], None]]] = [
            ("kill -9 of a web process", self.web_process),
            ("kill -9 of the web server", self.web_server),
            ("kill -9 of a worker in a job", self.worker),
            ("PostgreSQL stopped at once, back after a while", self.postgresql_stopped),
            ("kill -9 of PostgreSQL", self.postgresql_killed),
            ("kill -9 of one PostgreSQL backend", self.postgresql_backend),
            ("kill -9 of Redis, everything in it lost", self.redis),
            ("the reports folder is full", self.full_folder),
            ("connections cut in mid-request", self.cut),
        ]

    def cause(self, number: int) -> None:
        """One fault, and wait until it is over."""
        name, fault = self.faults[number % len(self.faults)]
        began = time.monotonic()
        fault()
        ended = time.monotonic()
        # What was killed has been away since it was; what was bad for a while is over now.
        since = ended if fault in (self.full_folder, self.cut) else began + 0.05
        while self.well(since) is None and time.monotonic() < ended + PATIENCE_SECONDS:
            time.sleep(0.1)
        well = self.well(since)
        self.told.append(
            Told(name, began, time.monotonic(), -1 if well is None else max(0.0, well - since))
        )

    def well(self, since: float) -> float | None:
        """Since when reads and writes work, workers are there, and every process runs."""
        if not all(service.alive() for service in self.there.services):
            return None
        well = self.probe.well_since(since)
        if well is None:
            return None
        with suppress(OSError):
            if self.boss.ask("GET", "/worker/ready")[0] == 200:
                return well
        return None

    # --- the faults ---

    def web_process(self) -> None:
        """One of the processes that answer."""
        children = self.there.web.children()
        if children:
            os.kill(self.chance.choice(children), signal.SIGKILL)

    def web_server(self) -> None:
        """All of them at once."""
        self.there.web.kill_all()

    def worker(self) -> None:
        """With the process that it has forked for a job, if it has one: the busy one is chosen."""
        until = time.monotonic() + BAD_SECONDS
        busy: Service | None = None
        while busy is None and time.monotonic() < until:
            busy = next((each for each in self.there.workers if each.children()), None)
            time.sleep(0.02)
        (busy or self.chance.choice(self.there.workers)).kill_all()

    def postgresql_stopped(self) -> None:
        """As `pg_ctl stop -m immediate`, and started again later."""
        with self.away(self.there.postgresql):
            self.there.postgresql.send(signal.SIGQUIT)
            assert self.there.postgresql.process is not None
            self.there.postgresql.process.wait()
            time.sleep(AWAY_SECONDS)

    def postgresql_killed(self) -> None:
        """The head of it; its children notice."""
        self.there.postgresql.send(signal.SIGKILL)

    def postgresql_backend(self) -> None:
        """One session's process: all the others are ended by the server, and it recovers by itself."""
        children = self.there.postgresql.children()
        if children:
            os.kill(children[-1], signal.SIGKILL)

    def redis(self) -> None:
        """It keeps nothing on disk: the queue, the limits and the workers' names are gone."""
        with self.away(self.there.redis):
            self.there.redis.kill_all()
            time.sleep(AWAY_SECONDS)

    def full_folder(self) -> None:
        """No file that workers write gets any longer than this (EFBIG, as a quota or a full disk)."""
        before: dict[int, tuple[int, int]] = {}
        for worker in self.there.workers:
            if worker.process is not None:
                with suppress(ProcessLookupError):
                    limits = (FULL_BYTES, resource.RLIM_INFINITY)
                    before[worker.process.pid] = resource.prlimit(
                        worker.process.pid, resource.RLIMIT_FSIZE, limits
                    )
        time.sleep(BAD_SECONDS)
        for pid, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

    def cut(self) -> None:
        """A third of all connections break somewhere."""
        self.wire.cutting = 0.34
        time.sleep(BAD_SECONDS)
        self.wire.cutting = 0.0

    @contextmanager
    def away(self, service: Service) -> Iterator[Any]:
        """Nobody starts it meanwhile."""
        service.stopped = True
        try:
            yield
        finally:
            service.stopped = False
            wait_until(service.alive, f"{service.name} again")
