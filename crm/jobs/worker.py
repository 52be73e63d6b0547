"""RQ's worker, with what this product's jobs need beside it.

Every 15 seconds, busy or not, it looks for jobs that nobody works on any more, hands out those whose time to
be tried again has come, and puts the chores that are due. Its own work horse, when that is killed, it
notices at once.
"""

import logging
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connections
from rq import Worker as RQWorker
from rq import worker_registration
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job as QueuedJob
from rq.queue import Queue
from rq.scheduler import RQScheduler
from rq.utils import now

from crm.api.unexpected import account_of
from crm.jobs import chores
from crm.jobs.handing import RUN, hand_over
from crm.jobs.kinds import kind_of
from crm.jobs.queue import executing
from crm.jobs.rescue import rescue
from crm.jobs.running import interrupted

log = logging.getLogger(__name__)

QUEUES: Final = ("default", "reports")
CLEANING_SECONDS: Final = 600
# RQ's own is a minute: that long a worker would sleep on after Redis has come back.
REDIS_WAIT_SECONDS: Final = 3.0


class Worker(RQWorker):
    """Works on the queues `default` and `reports`; one job at a time, in a process of its own for each."""

    max_connection_wait_time = REDIS_WAIT_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        tick = settings.JOBS["TICK_SECONDS"]
        kwargs.setdefault("maintenance_interval", tick)
        kwargs.setdefault("job_monitoring_interval", tick)
        super().__init__(*args, **kwargs)
        self._cleaned_at: Any = None
        self._later: RQScheduler | None = None
        self._execution: UUID | None = None

    @property
    def dequeue_timeout(self) -> int:
        """Seconds that it waits for a job before it looks around."""
        return min(int(super().dequeue_timeout), int(settings.JOBS["TICK_SECONDS"]))

    # --- regularly ---

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ's hook. A Redis that has lost its memory is told anew who works: probes count by that."""
        if pipeline is None and not self.connection.sismember(self.redis_workers_keys, self.key):
            self.introduce_again()
        super().heartbeat(timeout, pipeline)

    def introduce_again(self) -> None:
        """What RQ does at a worker's birth, without its complaint about a name that is known already."""
        if self.birth_date is None or self.last_heartbeat is None:
            return
        with self.connection.pipeline() as pipeline:
            pipeline.hset(self.key, mapping=self.serialize())
            worker_registration.register(self, pipeline)
            pipeline.execute()

    def run_maintenance_tasks(self) -> None:
        """RQ's hook, at the start and while there is nothing to do."""
        moment = now()
        if (
            self._cleaned_at is None
            or (moment - self._cleaned_at).total_seconds() > CLEANING_SECONDS
        ):
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
            self._cleaned_at = moment
        self.last_cleaned_at = moment  # type: ignore[assignment]
        self.tick()

    def maintain_heartbeats(self, job: QueuedJob, execution: Execution) -> None:
        """RQ's hook, while the work horse works."""
        super().maintain_heartbeats(job, execution)
        self.tick()

    def tick(self) -> None:
        """Look around. Whatever is away now is there again at one of the next ticks."""
        for look in (self.hand_out_scheduled, self.rescue, self.put_chores):
            try:
                look()
            except StopRequested:
                # A signal to stop arrives as this exception, wherever the worker is at the moment.
                raise
            except Exception as error:
                log.warning("A worker's look around failed\n%s", "\n".join(account_of(error)))
        # The work horse is a fork: it must not inherit an open connection.
        connections.close_all()

    def rescue(self) -> None:
        """Put again what nobody works on any more."""
        rescue(self.connection)

    def put_chores(self) -> None:
        """Put the chores that are due."""
        chores.put_due(self.connection)

    def hand_out_scheduled(self) -> None:
        """Attempts whose time has come. RQ has a process for it, which outlives a worker that is killed."""
        if self.scheduler is not None:
            return
        if self._later is None:
            logging.getLogger("rq.scheduler").setLevel(logging.WARNING)
            self._later = RQScheduler(
                self.queues,
                connection=self.connection,
                logging_level=logging.WARNING,
                serializer=self.serializer,
            )
        if self._later.acquire_locks():  # type: ignore[no-untyped-call]
            try:
                self._later.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]
            finally:
                self._later.release_locks()  # type: ignore[no-untyped-call]

    # --- one job ---

    def execute_job(self, job: QueuedJob, queue: Queue) -> None:
        """RQ's: fork a work horse and watch it."""
        try:
            super().execute_job(job, queue)
        except SystemExit:
            # Told twice to stop: the horse was taken down, and another worker need not wait for the lease.
            self.give_back(job, at_once=True)
            raise

    def monitor_work_horse(self, job: QueuedJob, queue: Queue, execution: Execution) -> None:
        """RQ's: returns when the horse has ended."""
        self._execution = UUID(execution.id)
        super().monitor_work_horse(job, queue, execution)

    def perform_job(self, job: QueuedJob, queue: Queue, execution: Execution) -> bool:
        """RQ's, in the horse."""
        with executing(UUID(execution.id)):
            return bool(super().perform_job(job, queue, execution))

    def handle_work_horse_killed(self, job: QueuedJob, *args: Any) -> None:
        """RQ's hook: the horse ended without a word. RQ puts the job again by itself, after a while."""
        super().handle_work_horse_killed(job, *args)  # type: ignore[no-untyped-call]
        self.give_back(job, at_once=False)

    def give_back(self, job: QueuedJob, *, at_once: bool) -> None:
        """The row of a job whose horse is gone: it waits for another attempt, or has failed."""
        if job.func_name != RUN or self._execution is None:
            return
        try:
            label, pk = job.args
            kind = kind_of(label)
            again_in = interrupted(kind, UUID(pk), run=self._execution, at_once=at_once)
            if again_in is not None and at_once:
                hand_over(kind.model.objects.get(pk=pk), self.connection)
        except Exception as error:
            # The lease runs out.
            log.warning("A job was not given back\n%s", "\n".join(account_of(error)))
        finally:
            connections.close_all()
