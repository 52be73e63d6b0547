"""Probes: alive, ready, figures, the queue; and the checks of a deployment."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from redis import Redis
from rq import Queue, Worker

pytestmark = pytest.mark.django_db

DEAD_REDIS = "redis://127.0.0.1:1/0"


def get(path: str, **headers: str) -> Any:
    return Client().get(path, headers=headers)


def no_database(*_: Any, **__: Any) -> None:
    raise OperationalError("away")


def test_alive_even_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", no_database)
    answer = get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-cache" in answer["Cache-Control"]


def test_ready() -> None:
    answer = get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "applied"}


def test_not_ready_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", no_database)
    monkeypatch.setattr(BaseDatabaseWrapper, "close", lambda _: None)
    answer = get("/ready")
    assert answer.status_code == 503
    assert answer.json()["database"] == "unavailable"


def test_not_ready_before_the_migrations() -> None:
    get("/ready")
    MigrationRecorder(connection).record_unapplied("users", "0001_initial")
    answer = get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "ok", "migrations": "pending"}


@pytest.mark.redis
def test_figures(redis_url: str) -> None:
    Queue("reports", connection=Redis.from_url(redis_url)).enqueue(print)
    facts = get("/metrics").json()
    assert facts["status"] == "ok"
    assert facts["database"] == "ok"
    assert facts["redis"] == "ok"
    assert facts["queue_length"] == 1
    assert facts["workers"] == 0
    assert facts["rate_limit_enabled"] is False


PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"


@pytest.mark.parametrize("accept", ["text/plain", PROMETHEUS])
def test_figures_for_prometheus(settings: LazySettings, accept: str) -> None:
    settings.REDIS_URL = ""
    answer = get("/metrics", accept=accept)
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.content.decode().splitlines()
    assert "crm_database_up 1" in lines
    assert "crm_redis_up 0" in lines
    assert "# TYPE crm_up gauge" in lines
    assert not any(line.startswith("crm_queue_length") for line in lines)


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html,*/*;q=0.8"])
def test_json_for_everybody_else(settings: LazySettings, accept: str) -> None:
    settings.REDIS_URL = ""
    assert get("/metrics", accept=accept).json()["redis"] == "not configured"


@pytest.mark.parametrize(("url", "state"), [("", "not configured"), (DEAD_REDIS, "unavailable")])
def test_no_worker_without_redis(settings: LazySettings, url: str, state: str) -> None:
    settings.REDIS_URL = url
    health = get("/worker/health")
    assert health.status_code == 200
    expected = {"redis": state, "queue_length": None, "workers": None}
    assert health.json() == {"status": "degraded", **expected}
    ready = get("/worker/ready")
    assert ready.status_code == 503
    assert ready.json() == {"status": "unavailable", **expected}
    assert get("/metrics").json()["status"] == ("degraded" if url else "ok")


@pytest.mark.redis
def test_a_living_worker(redis_url: str) -> None:
    assert get("/worker/ready").status_code == 503
    redis = Redis.from_url(redis_url)
    worker = Worker(["reports"], connection=redis)
    worker.register_birth()  # type: ignore[no-untyped-call]
    assert get("/worker/ready").status_code == 200
    assert get("/worker/health").json()["workers"] == 1
    worker.register_death()  # type: ignore[no-untyped-call]
    assert get("/worker/ready").status_code == 503
    # One that died without a word: its heartbeat has run out.
    worker = Worker(["reports"], connection=redis)
    worker.register_birth()  # type: ignore[no-untyped-call]
    redis.delete(worker.key)
    assert get("/worker/ready").status_code == 503


# --- deployment checks ----------------------------------------------------------------------------


def warned(*, deploy: bool = True) -> set[str]:
    messages = run_checks(include_deployment_checks=deploy)
    assert all(message.hint for message in messages if str(message.id).startswith("crm."))
    return {str(message.id) for message in messages if str(message.id).startswith("crm.")}


def test_a_safe_deployment_is_quiet(settings: LazySettings) -> None:
    settings.RATE_LIMIT_ENABLED, settings.REDIS_URL = True, "redis://somewhere"
    assert warned() == set()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"DEBUG": True, "ALLOWED_HOSTS": ["crm.example.com"]}, "crm.E001"),
        ({"JWT_SECRET": "insecure-token-secret-for-debugging-only-0123456789"}, "crm.E002"),
        ({"REDIS_URL": ""}, "crm.W002"),
        ({"RATE_LIMIT_ENABLED": False}, "crm.W003"),
        ({"CORS_ORIGINS": ["*"]}, "crm.W004"),
    ],
)
def test_an_unsafe_one_is_not(
    settings: LazySettings, values: dict[str, Any], expected: str
) -> None:
    settings.RATE_LIMIT_ENABLED, settings.REDIS_URL = True, "redis://somewhere"
    for name, value in values.items():
        setattr(settings, name, value)
    assert warned() == {expected}


@pytest.mark.sqlite_only
def test_several_processes_on_sqlite(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMIT_ENABLED, settings.REDIS_URL = True, "redis://somewhere"
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert warned() == {"crm.W001"}


def test_only_debug_speaks_up_every_day(settings: LazySettings) -> None:
    settings.REDIS_URL = ""
    assert warned(deploy=False) == set()
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["crm.example.com"]
    assert warned(deploy=False) == {"crm.E001"}
