"""The registry behind /metrics: how figures are counted, kept and told."""

import multiprocessing
import os
import threading
import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client
from redis import Redis

from crm import figures, tally
from crm.figures import Counter, Gauge, Histogram, as_json, as_text, read

DEAD_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of the test's own."""
    monkeypatch.setattr(figures, "_figures", {})


@pytest.fixture(params=["alone", pytest.param("shared", marks=pytest.mark.redis)])
def _keeping(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    """In this process, and in Redis."""
    if request.param == "alone":
        settings.REDIS_URL = ""
    else:
        request.getfixturevalue("redis_url")


@pytest.mark.usefixtures("_keeping")
def test_both_forms() -> None:
    pushes = Counter("crm_pushes_total", "Batches.")
    items = Counter("crm_items_total", "Items\nby end \\ outcome.", outcome=("created", "error"))
    strange = Counter("crm_strange_total", "Odd words.", one=(), two=())
    spread = Histogram("crm_export_seconds", "Exports.", (10, 0.5), format=())
    Gauge("crm_oldest_seconds", "The oldest.", lambda: 1.5)
    Gauge("crm_waiting", "Waiting.", lambda: {"default": 3, "reports": 0}, label="queue")
    Gauge("crm_unknown", "Nobody can tell.", lambda: None)
    pushes.add()
    pushes.add(41)
    items.add(3, outcome="created")
    strange.add(one='a"b\\c\nd', two="ё")
    for seconds in (0.25, 0.5, 7, 100):
        spread.observe(seconds, format="csv")
    spread.observe(1, format="xlsx")
    text = as_text(read())
    assert text == "\n".join(
        [
            "# HELP crm_export_seconds Exports.",
            "# TYPE crm_export_seconds histogram",
            'crm_export_seconds_bucket{format="csv",le="0.5"} 2',
            'crm_export_seconds_bucket{format="csv",le="10"} 3',
            'crm_export_seconds_bucket{format="csv",le="+Inf"} 4',
            'crm_export_seconds_sum{format="csv"} 107.75',
            'crm_export_seconds_count{format="csv"} 4',
            'crm_export_seconds_bucket{format="xlsx",le="0.5"} 0',
            'crm_export_seconds_bucket{format="xlsx",le="10"} 1',
            'crm_export_seconds_bucket{format="xlsx",le="+Inf"} 1',
            'crm_export_seconds_sum{format="xlsx"} ' + ("1.0" if not tally.shared() else "1"),
            'crm_export_seconds_count{format="xlsx"} 1',
            "# HELP crm_items_total Items\\nby end \\\\ outcome.",
            "# TYPE crm_items_total counter",
            'crm_items_total{outcome="created"} 3',
            'crm_items_total{outcome="error"} 0',
            "# HELP crm_oldest_seconds The oldest.",
            "# TYPE crm_oldest_seconds gauge",
            "crm_oldest_seconds 1.5",
            "# HELP crm_pushes_total Batches.",
            "# TYPE crm_pushes_total counter",
            "crm_pushes_total 42",
            "# HELP crm_strange_total Odd words.",
            "# TYPE crm_strange_total counter",
            'crm_strange_total{one="a\\"b\\\\c\\nd",two="ё"} 1',
            "# HELP crm_waiting Waiting.",
            "# TYPE crm_waiting gauge",
            'crm_waiting{queue="default"} 3',
            'crm_waiting{queue="reports"} 0',
            "",
        ]
    )
    told = as_json(read())
    assert told["crm_pushes_total"] == 42
    assert told["crm_items_total"] == [
        {"outcome": "created", "value": 3},
        {"outcome": "error", "value": 0},
    ]
    assert told["crm_export_seconds_count"][0] == {"format": "csv", "value": 4}
    assert told["crm_waiting"][0] == {"queue": "default", "value": 3}
    assert "crm_unknown" not in told


def test_names_and_labels_are_checked() -> None:
    counter = Counter("crm_pushes_total", "Batches.", outcome=())
    for name in ("crm_pushes_total", "pushes", "crm_Pushes"):
        with pytest.raises(ValueError, match="name for a figure"):
            Gauge(name, "Again.", lambda: 1)
    for labels in ({}, {"other": "x"}, {"outcome": "x", "other": "x"}):
        with pytest.raises(ValueError, match="has the labels outcome"):
            counter.add(**labels)


def test_what_is_away_is_left_out() -> None:
    def away() -> int:
        raise OperationalError("away")

    Gauge("crm_away", "Away.", away)
    Gauge("crm_there", "There.", lambda: 1)
    assert as_json(read()) == {"crm_there": 1}


def count_elsewhere(url: str, times: int) -> None:
    """What another web process does: it counts, and its requests end."""
    from django.conf import settings

    settings.REDIS_URL = url
    tally.forget()
    for _n in range(times):
        tally.add('["crm_pushes_total", ""]')
        tally.hand_over()


@pytest.mark.redis
def test_processes_count_together(redis_url: str) -> None:
    pushes = Counter("crm_pushes_total", "Batches.")
    pushes.add()
    tally.hand_over()
    processes = [
        multiprocessing.get_context("fork").Process(target=count_elsewhere, args=(redis_url, 50))
        for _n in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert as_json(read()) == {"crm_pushes_total": 151}


def test_counts_wait_while_redis_is_away(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it, nobody is refused, and what was counted is there when it is back."""
    real, settings.REDIS_URL = settings.REDIS_URL, DEAD_REDIS
    pushes = Counter("crm_pushes_total", "Batches.")
    begun = time.monotonic()
    for _n in range(1000):
        pushes.add()
        tally.hand_over()
    assert time.monotonic() - begun < 1
    assert len(caplog.records) == 1
    # Nobody knows what the others counted: no figure is better than one that seems to start anew.
    assert as_json(read()) == {}
    settings.REDIS_URL = real
    if real:
        assert as_json(read()) == {"crm_pushes_total": 0}
        tally._paused_until = 0.0
    assert as_json(read()) == {"crm_pushes_total": 1000}


@pytest.mark.redis
def test_requests_leave_the_round_trip_to_a_thread(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a second, however many requests there are, and none when nothing was counted."""
    sent: list[str] = []
    real = Redis.pipeline

    def counted(self: Any, *arguments: Any, **named: Any) -> Any:
        sent.append(threading.current_thread().name)
        return real(self, *arguments, **named)

    # What requests of earlier tests have counted is on its way at the latest now.
    time.sleep(tally.EVERY_SECONDS + 0.2)
    monkeypatch.setattr(Redis, "pipeline", counted)
    items = Counter("crm_items_total", "Items.", outcome=())
    for outcome in ("created", "error", "conflict", "created"):
        items.add(outcome=outcome)
        Client().get("/health")
    assert sent == []
    time.sleep(tally.EVERY_SECONDS + 0.5)
    assert sent == ["figures"]
    time.sleep(tally.EVERY_SECONDS + 0.5)
    assert sent == ["figures"]
    stored: Any = Redis.from_url(redis_url).hgetall(tally.KEY)
    assert stored[b'["crm_items_total", "", "created"]'] == b"2"
    assert as_json(read())["crm_items_total"][1] == {"outcome": "created", "value": 2}


def test_what_the_parent_counted_it_hands_over_itself() -> None:
    """A fork (the horse of a worker) begins at nothing, and with locks that nobody holds."""
    tally.add("x", 5)
    with tally._lock:
        pid = os.fork()
        if pid == 0:
            os._exit(1 if tally._pending or tally._lock._is_owned() else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert tally._pending == {"x": 5}


@pytest.mark.redis
def test_what_another_version_left_is_passed_over(redis_url: str) -> None:
    Redis.from_url(redis_url).hset(
        tally.KEY, mapping={'["crm_items_total", "", "a", "b"]': 5, '["crm_gone_total", ""]': 7}
    )
    Counter("crm_items_total", "Items.", outcome=())
    assert as_json(read()) == {}


def test_counting_while_counting_does_not_wait_for_itself() -> None:
    """As when Python's collector ends an abandoned answer in the middle of a count."""
    done = threading.Event()

    def count() -> None:
        with tally._lock, tally._handing:
            tally.add('["crm_pulls_total", ""]')
            tally.hand_over()
        done.set()

    threading.Thread(target=count, daemon=True).start()
    assert done.wait(10)
