"""Probes and figures for whoever runs the installation: all outside of the API, none needs a login."""

import time
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue as JobQueue
from rq import Worker

from crm import figures, tally
from crm.api.refusing import refuse
from crm.apps import STARTED
from crm.errors import Unauthorized
from crm.jobs.figures import NOT_COUNTED, counts

OK, DOWN, ABSENT = "ok", "unavailable", "not configured"
TIMEOUT_SECONDS: Final = 2
# What Prometheus asks for: https://prometheus.io/docs/instrumenting/exposition_formats/
TEXT_TYPES: Final = ("text/plain", "application/openmetrics-text")
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Queue:
    """What can be said of Redis and the workers. Numbers are None when nobody can tell."""

    redis: str
    queue_length: int | None = None
    workers: int | None = None


def database_state() -> str:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        # The next probe must try anew instead of meeting the same broken connection.
        connection.close()
        return DOWN
    return OK


@cache
def migrations_on_disk() -> frozenset[tuple[str, str]]:
    """The migrations of this code: (app, name). Reading them takes long, and they do not change."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.disk_migrations)


def migrations_applied() -> bool:
    """Whether every migration of this code has run."""
    return migrations_on_disk() <= MigrationRecorder(connection).applied_migrations().keys()


def queue_state() -> Queue:
    """Redis, the jobs that wait, and the workers that are alive."""
    if not settings.REDIS_URL:
        return Queue(ABSENT)
    try:
        redis = Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
        )
        with redis:
            waiting = sum(JobQueue(name, connection=redis).count for name in settings.RQ_QUEUES)
            # A worker that died without a word is forgotten when its heartbeat runs out.
            return Queue(OK, waiting, len(Worker.all(connection=redis)))
    except (RedisError, OSError):
        return Queue(DOWN)


def job_counts(database: str) -> dict[str, int | None]:
    """Background jobs that wait and that are being worked on; None when nobody can tell."""
    try:
        return dict(counts() if database == OK else NOT_COUNTED)
    except (DatabaseError, InterfaceError):
        return dict(NOT_COUNTED)


def answer(facts: dict[str, Any], *, good: bool) -> JsonResponse:
    """The facts, 503 when they are not good."""
    return JsonResponse(facts, status=200 if good else 503)


@never_cache
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """The process is up. Asks nothing else: a restart would not mend a database."""
    return answer({"status": OK}, good=True)


@never_cache
@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """Requests may come: the database answers and is up to date."""
    database = database_state()
    applied = False
    if database == OK:
        try:
            applied = migrations_applied()
        except (DatabaseError, InterfaceError):
            database = DOWN
    good = database == OK and applied
    migrations = "applied" if applied else ("pending" if database == OK else "unknown")
    return answer(
        {"status": OK if good else DOWN, "database": database, "migrations": migrations}, good=good
    )


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures, as JSON or, when the Accept header asks for text, for Prometheus.

    401 without METRICS_TOKEN, where one is set.
    """
    if not may_read_figures(request):
        return refuse(request, Unauthorized(_("Log in first.")))
    database, queue, read = database_state(), queue_state(), figures.read()
    facts = {
        "status": OK if database == OK and queue.redis != DOWN else "degraded",
        "database": database,
        **asdict(queue),
        **job_counts(database),
        "rate_limit_enabled": settings.RATE_LIMIT_ENABLED,
        "uptime_seconds": int(time.time() - STARTED),
        "figures_shared": tally.shared(),
        "version": settings.SPECTACULAR_SETTINGS["VERSION"],
    }
    if any(kind in request.headers.get("Accept", "") for kind in TEXT_TYPES):
        return HttpResponse(exposition(facts) + figures.as_text(read), content_type=TEXT)
    return answer({**facts, "figures": figures.as_json(read)}, good=True)


def may_read_figures(request: HttpRequest) -> bool:
    """Whether the request shows METRICS_TOKEN, or nobody needs to."""
    expected = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return not expected or constant_time_compare(given, f"Bearer {expected}")


def exposition(facts: dict[str, Any]) -> str:
    """What the probes know, in Prometheus's text format; what nobody can tell is left out."""
    gauges = {
        "crm_up": ("The process answers.", 1),
        "crm_database_up": ("The database answers.", int(facts["database"] == OK)),
        "crm_redis_up": ("Redis answers.", int(facts["redis"] == OK)),
        "crm_queue_length": ("Jobs that wait for a worker.", facts["queue_length"]),
        "crm_workers": ("Queue workers alive.", facts["workers"]),
        "crm_jobs_pending": ("Background jobs that wait.", facts["jobs_pending"]),
        "crm_jobs_processing": (
            "Background jobs that are being worked on.",
            facts["jobs_processing"],
        ),
        "crm_rate_limit_enabled": ("Rate limits are on.", int(facts["rate_limit_enabled"])),
        "crm_uptime_seconds": ("Seconds since the process started.", facts["uptime_seconds"]),
        "crm_figures_shared": (
            "Counters are those of all processes; otherwise of the one that answers.",
            int(facts["figures_shared"]),
        ),
    }
    lines = [
        f"# HELP {name} {what}\n# TYPE {name} gauge\n{name} {value}\n"
        for name, (what, value) in gauges.items()
        if value is not None
    ]
    return "".join(lines)


@never_cache
@require_safe
def worker_health(_request: HttpRequest) -> HttpResponse:
    """What the queue is doing. Always 200: without Redis exports run in the web process."""
    queue = queue_state()
    return answer({"status": OK if queue.workers else "degraded", **asdict(queue)}, good=True)


@never_cache
@require_safe
def worker_ready(_request: HttpRequest) -> HttpResponse:
    """Jobs are being done: Redis answers and a worker is alive."""
    queue = queue_state()
    good = bool(queue.workers)
    return answer({"status": OK if good else DOWN, **asdict(queue)}, good=good)
