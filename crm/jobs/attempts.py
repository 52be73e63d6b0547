"""One attempt at a job, as its work sees it: where to report progress, and when to stop.

What is reported goes to the row from a thread with a connection of its own: the work's connection may be in
the middle of one long read, and a write in that transaction would hold the change feed back.
"""

import logging
import threading
import time
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connection, connections
from django.utils import timezone

from crm.db.snapshots import interrupt
from crm.jobs.failures import Stopped

log = logging.getLogger(__name__)

# How soon a cancelled job notices, and how often progress is written.
BEAT_SECONDS: Final = 0.5
ALMOST: Final = 99


class Attempt:
    """Holds a claimed job while its work runs (a context manager), and prolongs its lease."""

    def __init__(self, model: Any, pk: UUID, run: UUID) -> None:
        self.run = run
        self._held = model.objects.filter(pk=pk).held_by(run)
        self.rows_total: int | None = None
        self.rows_done = 0
        self.stopped = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"job {pk}", daemon=True)
        self._working = connections[DEFAULT_DB_ALIAS]

    # --- what the work calls ---

    def expect(self, rows: int) -> None:
        """How many rows there will be, as far as known."""
        self.rows_total = rows

    def progress(self, rows: int) -> None:
        """So many rows are done. Cheap: call it as often as you like, at least every half second.

        Raises Stopped when the job is no longer this attempt's.
        """
        self.rows_done = rows
        if self.stopped:
            raise Stopped

    # --- the beat ---

    def __enter__(self) -> Self:
        self._believed_until: float = time.monotonic() + settings.JOBS["LEASE_SECONDS"]
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def percent(self) -> int:
        """Progress from 0 to 99; the last step is being done."""
        return min(ALMOST, self.rows_done * 100 // self.rows_total) if self.rows_total else 0

    def _beat(self) -> None:
        try:
            while not self._ended.wait(BEAT_SECONDS):
                if not self._still_ours():
                    self.stopped = True
                    # The work may wait for its first row, and would hear of it only then.
                    interrupt(self._working)
                    return
        finally:
            connections.close_all()

    def _still_ours(self) -> bool:
        now = timezone.now()
        lease: float = settings.JOBS["LEASE_SECONDS"]
        try:
            held = self._held.update(
                rows_done=self.rows_done,
                rows_total=self.rows_total,
                progress=self.percent,
                lease_until=now + timedelta(seconds=lease),
                updated_at=now,
            )
        except (DatabaseError, InterfaceError) as error:
            log.warning("A job's progress could not be written (%s)", type(error).__name__)
            connection.close()
            # Others may take it over from here on.
            return time.monotonic() < self._believed_until
        self._believed_until = time.monotonic() + lease
        return bool(held)
