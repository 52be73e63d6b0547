"""What /metrics tells of sync, held against what really happened."""

import json
import time
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test import Client

from crm import tally
from crm.db.positions import horizon_age
from objects.models import Object
from sync import push as pushing
from sync.cursors import REASONS
from sync.resolving import Moved
from tests.cast import Cast
from tests.sync.phone import Phone
from tests.sync.pushing import item, push, removal

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/sync/changes"


def figures() -> dict[str, Any]:
    """Name → number; of labelled ones label → number, without zeros."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    found = answer.json()["figures"]
    return {
        name: {each[next(iter(each))]: each["value"] for each in value if each["value"]}
        if isinstance(value, list)
        else value
        for name, value in found.items()
    }


def text() -> list[str]:
    return Client().get("/metrics", headers={"accept": "text/plain"}).content.decode().splitlines()


def test_pushes_by_outcome(cast: Cast) -> None:
    ivan, anna = cast.api(cast.ivan), cast.api(cast.anna)
    house = item("objects", address="ул. Ёлочная, д. 1")
    key = house["client_generated_id"]
    unit = item("units", object_id=key, unit_number="1")
    push(ivan, house, unit)
    push(ivan, house, unit)
    push(anna, item("objects", key, 1, status="DONE"))
    push(anna, item("objects", key, 1, status="NEW"))
    push(anna, item("objects", key, 1, contact_name="Мария"))
    push(anna, item("units", unit_number="2"), removal("units", unit["client_generated_id"], 1))
    ivan.post("/api/v1/sync/batch", {"items": []})
    found = figures()
    assert found["crm_sync_pushes_total"] == 6
    assert found["crm_sync_push_items_total"] == {
        "created": 2, "replayed": 2, "updated": 1, "conflict": 2, "error": 1, "deleted": 1,
    }  # fmt: skip
    assert found["crm_sync_conflicts_total"] == {"HARD_CONFLICT": 1, "STALE_VERSION": 1}
    assert found["crm_sync_push_errors_total"] == {"VALIDATION_ERROR": 1}
    lines = text()
    assert "# TYPE crm_sync_push_items_total counter" in lines
    assert 'crm_sync_push_items_total{outcome="replayed"} 2' in lines
    assert "# TYPE crm_feed_horizon_age_seconds gauge" in lines
    assert "crm_feed_horizon_age_seconds 0.0" in lines


def test_pulls_rows_and_refused_cursors(cast: Cast) -> None:
    house = cast.object()
    for _n in range(4):
        cast.unit(house)
    phone = Phone.of(cast, cast.ivan, limit=2)
    phone.pull()
    assert len(phone.told) == 5
    api = cast.api(cast.ivan)
    for cursor in ("x", "x:y", "x"):
        assert api.get(PATH, {"cursor": cursor}).status_code == 410
    zipped = api.get(PATH, {"since": "2001-01-01"}, headers={"accept-encoding": "gzip"})
    assert zipped.getvalue()
    found = figures()
    assert found["crm_sync_pulls_total"] == {"first": 1, "cursor": 2, "since": 1}
    assert found["crm_sync_feed_rows_total"] == 10
    assert found["crm_sync_resyncs_total"] == {"format": 2, "signature": 1}
    assert {f'crm_sync_resyncs_total{{reason="{reason}"}}' for reason in REASONS} == {
        line.split()[0] for line in text() if line.startswith("crm_sync_resyncs_total")
    }


def test_a_page_that_nobody_reads_to_its_end(cast: Cast) -> None:
    house = cast.object()
    for _n in range(2000):
        house.address += "x" if len(house.address) < 400 else ""
    Object.objects.bulk_create(
        Object(type="MKD", address=house.address, city=cast.moscow, district=cast.centre)
        for _n in range(500)
    )
    answer = cast.api(cast.anna).get(PATH)
    next(iter(answer.streaming_content))
    answer.close()
    sent = figures()["crm_sync_feed_rows_total"]
    assert 0 < sent < 501


def test_batches_begun_anew(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    real, attempts = pushing.Attempt.run, []

    def run(self: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise Moved
        return real(self)

    monkeypatch.setattr(pushing.Attempt, "run", run)
    push(cast.api(cast.ivan), item("objects", address="ул. Ёлочная, д. 1"))
    assert figures()["crm_sync_push_retries_total"] == {"moved": 2}


def test_redis_away_refuses_nobody(cast: Cast, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    api = cast.api(cast.ivan)
    begun = time.monotonic()
    for _n in range(5):
        push(api, item("objects", address="ул. Ёлочная, д. 1"))
        assert json.loads(api.get(PATH).getvalue())["has_more"] is False
    assert time.monotonic() - begun < 5
    found = figures()
    assert "crm_sync_pushes_total" not in found
    assert "crm_feed_horizon_age_seconds" in found
    settings.REDIS_URL = ""
    assert figures()["crm_sync_pushes_total"] == 5
    assert not tally.shared()


@pytest.mark.postgresql_only
def test_how_long_an_open_writer_holds_the_feed_back(cast: Cast) -> None:
    house = cast.object()
    settings = connection.settings_dict
    where = settings["OPTIONS"].get("host") or settings["HOST"]
    url = {"dbname": settings["NAME"], "user": settings["USER"], "host": where}
    if settings["PORT"]:
        url["port"] = settings["PORT"]
    assert horizon_age(connection) == 0
    with psycopg.connect(**url) as reader, psycopg.connect(**url) as writer:
        # Reading holds nothing back, however long.
        reader.execute("SELECT count(*) FROM objects_object")
        assert horizon_age(connection) == 0
        writer.execute("UPDATE objects_object SET contact_name = 'x' WHERE id = %s", [house.pk])
        time.sleep(0.3)
        with transaction.atomic():
            # Somebody newer who writes is not the oldest.
            Object.objects.create(type="MKD", address="ул. Новая, д. 1", city=cast.moscow)
            held = figures()["crm_feed_horizon_age_seconds"]
        assert 0.3 <= held < 10
        writer.rollback()
    assert figures()["crm_feed_horizon_age_seconds"] == 0


@pytest.mark.postgresql_only
def test_one_who_may_not_look_is_told_nothing(cast: Cast) -> None:
    """Without pg_read_all_stats a role does not see the times of others: no figure, and no failure."""
    house = cast.object()
    settings = connection.settings_dict
    url = {"dbname": settings["NAME"], "user": settings["USER"],
           "host": settings["OPTIONS"].get("host") or settings["HOST"]}  # fmt: skip
    if settings["PORT"]:
        url["port"] = settings["PORT"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain_reader")
    try:
        with psycopg.connect(**url) as writer, connection.cursor() as cursor:
            writer.execute("UPDATE objects_object SET contact_name = 'x' WHERE id = %s", [house.pk])
            cursor.execute("SET ROLE plain_reader")
            assert horizon_age(connection) is None
            cursor.execute("RESET ROLE")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE plain_reader")
