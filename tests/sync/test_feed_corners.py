"""Corners of leaving sight that need an unlikely moment, or a second life of the database."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from objects.models import Object, Unit
from sync.losses import Loss
from tests.cast import Cast
from tests.sync.phone import Phone
from tests.sync.truth import visible_versions
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_came_in_the_moment_of_the_loss_goes_along(cast: Cast) -> None:
    """SQLite counts milliseconds: a flat, a pull and a move may share one."""
    parent = cast.object()
    unit = cast.unit(parent)
    phone = Phone.of(cast, cast.ivan)
    phone.pull()
    assert phone.keys("units") == {str(unit.pk)}
    Object.objects.filter(pk=parent.pk).update(district=cast.north)
    Loss.objects.update(at=unit.created_at)
    phone.pull()
    assert phone.rows == {}


def deleted_in_kazan_before_it_came_to_moscow(cast: Cast) -> tuple[Object, Unit]:
    parent = cast.object(city=cast.kazan, district=cast.vakhitovsky)
    unit = cast.unit(parent)
    Unit.objects.filter(pk=unit.pk).update(deleted_at=timezone.now())
    Object.objects.filter(pk=parent.pk).update(city=cast.moscow, district=cast.centre)
    # The first life begins.
    Phone.of(cast, cast.anna).pull()
    return parent, unit


def leaves_moscow_and_the_flat_is_not_mentioned(cast: Cast, parent: Object, unit: Unit) -> None:
    phone = Phone.of(cast, cast.sergei)
    phone.pull()
    Object.objects.filter(pk=parent.pk).update(city=cast.kazan, district=None)
    phone.pull()
    assert phone.versions() == visible_versions(cast.sergei) == {}
    assert phone.told
    assert str(unit.pk) not in {item["id"] for item in phone.told}


def test_a_new_life_remembers_since_when_an_object_lies_where_it_lies(cast: Cast) -> None:
    parent, unit = deleted_in_kazan_before_it_came_to_moscow(cast)
    call_command("sync_new_epoch", verbosity=0)
    assert Loss.objects.count() == 1
    leaves_moscow_and_the_flat_is_not_mentioned(cast, parent, unit)


@pytest.mark.postgresql_only
def test_so_does_one_in_a_cluster_with_other_positions(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, unit = deleted_in_kazan_before_it_came_to_moscow(cast)
    future: Any = 4_000_000_000
    with connection.cursor() as cursor:
        # As pg_restore does: rows come in before there are triggers.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE sync_loss SET position = %s", [future])
        cursor.execute("UPDATE objects_object SET feed_position = %s", [future])
        cursor.execute("UPDATE objects_unit SET feed_position = %s", [future - 1])
        cursor.execute("SET session_replication_role = DEFAULT")
    monkeypatch.setattr("sync.epoch.identity", lambda: "another cluster")
    leaves_moscow_and_the_flat_is_not_mentioned(cast, parent, unit)
    assert not Loss.objects.filter(position__gte=future - 1).exists()


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_a_house_deleted_under_its_visitor_is_told_once(cast: Cast, limit: int) -> None:
    """The tombstone lies in the district, and the visits' end is a loss: one deletion of each record."""
    house = cast.object()
    cast.customer(house, unit=cast.unit(house))
    cast.visit(house, cast.ivan)
    cast.visit(house, cast.ivan)
    phone = Phone.of(cast, cast.ivan, limit=limit)
    held = [item["id"] for item in phone.pull()]
    assert len(held) == 5
    assert cast.api(cast.sergei).delete(f"/api/v1/objects/{house.pk}").status_code == 204
    told = phone.pull()
    assert sorted(item["id"] for item in told) == sorted(held)
    assert {item["reason"] for item in told} == {"deleted"}
    assert phone.rows == {}


def test_a_flat_deleted_after_sight_had_ended_and_come_back_is_told_once(cast: Cast) -> None:
    """The same beyond the district: the ledger shows the tombstone, and remembers the end of sight."""
    house = cast.object(district=cast.north)
    unit = cast.unit(house)
    visit = cast.visit(house, cast.ivan)
    phone = Phone.of(cast, cast.ivan)
    phone.pull()
    Visit.objects.filter(pk=visit.pk).update(engineer=cast.pyotr)
    Visit.objects.filter(pk=visit.pk).update(engineer=cast.ivan)
    Unit.objects.filter(pk=unit.pk).update(deleted_at=timezone.now())
    told = phone.pull()
    assert [item["reason"] for item in told if item["id"] == str(unit.pk)] == ["deleted"]
    assert phone.versions() == visible_versions(cast.ivan)


def test_a_flat_deleted_before_sight_ended_and_came_back_is_told_by_the_loss(cast: Cast) -> None:
    """The ledger does not show a tombstone from before it; the end of the earlier sight tells of it."""
    house = cast.object(district=cast.north)
    unit = cast.unit(house)
    visit = cast.visit(house, cast.ivan)
    phone = Phone.of(cast, cast.ivan)
    phone.pull()
    Unit.objects.filter(pk=unit.pk).update(deleted_at=timezone.now())
    Visit.objects.filter(pk=visit.pk).update(engineer=cast.pyotr)
    Visit.objects.filter(pk=visit.pk).update(engineer=cast.ivan)
    told = phone.pull()
    assert [item["reason"] for item in told if item["id"] == str(unit.pk)] == ["deleted"]
    assert phone.versions() == visible_versions(cast.ivan)
