"""Cursors that cannot be honoured, parameters, housekeeping, and the lives of a database."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from objects.access import ObjectAccess
from objects.models import Object, Unit
from sync import cursors
from sync.losses import Loss
from sync.state import FeedState
from tests.cast import Cast
from tests.contracts.envelope import invalid, refused
from tests.sync.phone import Phone, told
from tests.sync.truth import visible_versions

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/sync/changes"


def reason(api: Any, cursor: str, **query: str) -> str:
    """Why a cursor is refused; always in the envelope. An answer that is none is read to its end."""
    answer = api.get(PATH, {"cursor": cursor, **query})
    details = refused(answer, 410)
    assert list(details) == ["reason"]
    return str(details["reason"])


def synced(cast: Cast, user: Any = None) -> Phone:
    phone = Phone.of(cast, user or cast.ivan)
    phone.pull()
    return phone


def test_a_cursor_is_bound_to_its_person_and_tables(cast: Cast) -> None:
    cast.object()
    cursor = synced(cast).cursor
    assert reason(cast.api(cast.pyotr), cursor) == "user"
    assert reason(cast.api(cast.anna), cursor) == "user"
    assert reason(cast.api(cast.ivan), cursor, tables="objects") == "tables"
    assert cast.api(cast.ivan).get(PATH, {"cursor": cursor}).getvalue().startswith(b'{"items":[]')


@pytest.mark.parametrize("broken", ["x", "0", "eyJ4IjoxfQ", "-1", "null", "ё", "2026-13-45"])
def test_what_is_no_cursor_starts_over(cast: Cast, broken: str) -> None:
    assert reason(cast.api(cast.ivan), broken) == "format"


def test_a_cursor_cannot_be_forged(cast: Cast, settings: Any) -> None:
    cast.object()
    phone = synced(cast)
    packed, _, signature = phone.cursor.rpartition(":")
    for position in range(0, len(packed), 7):
        letter = "A" if packed[position] != "A" else "B"
        forged = packed[:position] + letter + packed[position + 1 :]
        assert reason(phone.api, f"{forged}:{signature}") == "signature"
    assert reason(phone.api, f"{packed}:") == "signature"
    assert phone.pull() == []


def test_a_cursor_of_another_format_starts_over(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = synced(cast)
    monkeypatch.setattr(cursors, "FORMAT", 2)
    assert reason(phone.api, phone.cursor) == "format"


def test_a_cursor_ahead_of_the_feed_starts_over(cast: Cast) -> None:
    phone = synced(cast)
    cursor = cursors.decoded(phone.cursor)
    ahead = cursors.Cursor(
        cursor.epoch, cursor.user_id, cursor.scope, cursor.tables, position=cursor.position + 10**9
    )
    assert reason(phone.api, ahead.encoded()) == "ahead"


def test_what_is_given_is_checked(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    for name, value in {
        "limit": "0", "tables": "users", "cursour": "x", "since": "2026-99-01T00:00:00Z",
    }.items():  # fmt: skip
        invalid(api.get(PATH, {name: value}), name)
    for value in ("10001", "-1", "a", "9" * 40):
        invalid(api.get(PATH, {"limit": value}), "limit")
    for body, name in (
        ({"limit": "5"}, "limit"), ({"tables": [1]}, "tables"), ({"cursor": ["x"]}, "cursor"),
        ({"tables": {"a": 1}}, "tables"), ({"x": 1}, "x"), ({"limit": True}, "limit"),
    ):  # fmt: skip
        invalid(api.post(PATH, body), name)
    refused(api.post(PATH, [1]), 422)
    refused(cast.api(None).get(PATH), 401)
    refused(api.delete(PATH), 405)


def test_since_is_a_best_effort_by_time(cast: Cast) -> None:
    cast.object()
    gone = cast.unit(cast.object())
    moment = timezone.now()
    cast.object()
    Unit.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    api = cast.api(cast.ivan)
    page = json.loads(api.get(PATH, {"since": moment.isoformat()}).getvalue())
    # What came in the same millisecond may come again.
    assert [(item["table_name"], item["action"]) for item in page["items"]][-2:] == [
        ("objects", "create"),
        ("units", "delete"),
    ]
    assert len(page["items"]) <= 4
    assert json.loads(api.get(PATH, {"since": page["next_cursor"]}).getvalue())["items"] == []
    early = json.loads(api.get(PATH, {"since": "2001-01-01"}).getvalue())
    assert len(early["items"]) >= 4
    late = json.loads(api.get(PATH, {"since": "2999-01-01T00:00:00Z"}).getvalue())
    assert late["items"] == []


def test_some_tables_only(cast: Cast) -> None:
    parent = cast.object()
    cast.unit(parent)
    cast.customer(parent)
    phone = Phone.of(cast, cast.ivan, tables=("units",), limit=1)
    phone.pull()
    assert {table for table, _id in phone.rows} == {"units"}
    Object.objects.filter(pk=parent.pk).update(district=cast.north)
    assert {item[0] for item in told(phone.pull())} == {"units"}
    assert not phone.rows


# --- housekeeping ---


def test_a_purged_deletion_starts_a_late_phone_over(cast: Cast) -> None:
    parent = cast.object()
    gone, kept = cast.unit(parent), cast.unit(parent)
    late, early = synced(cast), synced(cast)
    Unit.objects.filter(pk=gone.pk).update(deleted_at=timezone.now() - timedelta(days=91))
    in_time = synced(cast, cast.sergei)
    early.pull()
    # Nothing can set back when the database itself says that a row changed: the clock is moved on.
    later = timezone.now() + timedelta(days=91)
    from sync.cleanup import forget_deletions

    forget_deletions(later - timedelta(days=90))
    assert early.pull() == in_time.pull() == []
    late.pull()
    assert late.resyncs == ["purged"]
    assert late.versions() == visible_versions(cast.ivan)
    assert ("units", str(gone.pk)) not in late.rows
    assert ("units", str(kept.pk)) in late.rows
    # The row stays, so that its id is never used again.
    assert Unit.objects.filter(pk=gone.pk).exists()
    assert late.pull() == []


def test_cleaning_up_keeps_what_is_young(cast: Cast) -> None:
    parent = cast.object()
    unit = cast.unit(parent)
    phone = synced(cast)
    Object.objects.filter(pk=parent.pk).update(district=cast.north)
    Unit.objects.filter(pk=unit.pk).update(deleted_at=timezone.now())
    call_command("sync_cleanup", verbosity=0)
    assert Loss.objects.count() == 1
    assert {what for _t, _id, what in told(phone.pull())} == {"out_of_scope", "deleted"}
    assert phone.resyncs == []


def test_losses_go_but_the_last_move_of_an_object_stays(cast: Cast) -> None:
    from sync.cleanup import forget_deletions

    parent = cast.object()
    unit = cast.unit(parent)
    visit = cast.visit(parent, cast.timur)
    type(visit).objects.filter(pk=visit.pk).update(status="CANCELLED")
    Unit.objects.filter(pk=unit.pk).update(deleted_at=timezone.now())
    Object.objects.filter(pk=parent.pk).update(district=cast.north)
    removed, _position = forget_deletions(timezone.now() + timedelta(seconds=1))
    assert removed == 1
    pyotr = synced(cast, cast.pyotr)
    Object.objects.filter(pk=parent.pk).update(district=cast.centre)
    assert ("units", str(unit.pk)) not in {item[:2] for item in told(pyotr.pull())}
    assert not pyotr.rows


# --- lives of a database ---


def test_a_new_epoch_starts_every_phone_over(cast: Cast) -> None:
    cast.object()
    phone = synced(cast)
    call_command("sync_new_epoch", verbosity=0)
    phone.pull()
    assert phone.resyncs == ["epoch"]
    assert phone.versions() == visible_versions(cast.ivan)
    phone.pull()
    assert phone.resyncs == ["epoch"]


def test_another_identity_is_noticed_and_converges(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a dump was restored into another cluster."""
    cast.object()
    phone = synced(cast)
    monkeypatch.setattr("sync.epoch.identity", lambda: "another cluster")
    phone.pull()
    assert phone.resyncs == ["epoch"]
    assert phone.versions() == visible_versions(cast.ivan)
    cast.object()
    phone.pull()
    assert phone.resyncs == ["epoch"]
    assert phone.versions() == visible_versions(cast.ivan)
    assert FeedState.objects.get().identity == "another cluster"


@pytest.mark.postgresql_only
def test_positions_of_another_cluster_hold_nothing_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restored row bears the other cluster's transaction id, which here may be far in the future."""
    parent = cast.object()
    unit = cast.unit(parent)
    cast.visit(cast.object(district=cast.north), cast.ivan)
    phone = synced(cast)
    with connection.cursor() as cursor:
        # As pg_restore does: rows come in before there are triggers.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE objects_object SET feed_position = 4000000000")
        cursor.execute("UPDATE objects_unit SET feed_position = 4000000001")
        cursor.execute("UPDATE objects_objectaccess SET feed_position = 4000000002")
        cursor.execute("SET session_replication_role = DEFAULT")
    monkeypatch.setattr("sync.epoch.identity", lambda: "another cluster")
    phone.pull()
    assert phone.resyncs == ["epoch"]
    assert phone.versions() == visible_versions(cast.ivan)
    unit.refresh_from_db()
    assert unit.feed_position < 4_000_000_000
    assert ObjectAccess.objects.filter(feed_position__gt=4_000_000_000).count() == 0
    assert unit.version == 1


@pytest.mark.postgresql_only
def test_the_identity_names_cluster_timeline_and_database(cast: Cast) -> None:
    from sync.epoch import identity

    system, timeline, database, table = identity().split("/")
    assert int(system) > 0
    assert timeline == "00000001"
    assert int(database) > 0
    assert int(table) > 0


@pytest.mark.sqlite_only
def test_an_older_file_put_back_is_ahead(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM crm_feed_clock")
        (before,) = cursor.fetchone()
    cast.object()
    phone = synced(cast)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_feed_clock SET value = %s", [before])
    assert reason(phone.api, phone.cursor) == "ahead"
