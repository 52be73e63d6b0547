"""A phone that slept for longer than deletions are remembered: nothing deleted rises again through it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from clients.models import Customer
from crm.records import Record
from objects.models import Object, Unit
from sync.cleanup import TOMBSTONE_DAYS, forget_deletions
from sync.kinds import KINDS
from tests.cast import Cast
from tests.sync.phone import Phone
from tests.sync.pushing import item, push, removal, statuses
from tests.sync.truth import visible_versions
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


def gone_for_good(cast: Cast, *records: Record) -> None:
    """The office deletes them, and 91 days go by, with housekeeping each night."""
    office = cast.api(cast.sergei)
    for record in records:
        table = next(name for name, kind in KINDS.items() if kind.model is type(record))
        assert office.delete(f"/api/v1/{table}/{record.pk}").status_code == 204
    # The database stamps rows by its own clock: housekeeping is told that it is later.
    forget_deletions(timezone.now() + timedelta(seconds=1))


def house_full(cast: Cast) -> tuple[Object, Unit, Customer, Visit]:
    house = cast.object()
    unit = cast.unit(house)
    return house, unit, cast.customer(house, unit=unit), cast.visit(house, cast.ivan)


def creation(record: Any) -> dict[str, Any]:
    """What a phone would send that takes the deleted record for a new one."""
    payloads: dict[type[Any], dict[str, Any]] = {
        Object: {"address": "ул. Снова, д. 1"},
        Unit: {"object_id": getattr(record, "object_id", None), "unit_number": "99"},
        Customer: {"object_id": getattr(record, "object_id", None), "full_name": "Мария"},
        Visit: {"object_id": getattr(record, "object_id", None)},
    }
    table = next(name for name, kind in KINDS.items() if kind.model is type(record))
    return item(table, record.pk, None, **payloads[type(record)])


EDITS = {
    "objects": {"contact_name": "Пётр"},
    "units": {"floor": 3},
    "customers": {"notes": "перезвонить"},
    "visits": {"outcome_text": "Да"},
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("strategy", ["reject", "merge", "force"])
def test_a_phone_that_kept_the_row_for_91_days(cast: Cast, strategy: str, whole: bool) -> None:
    """Its cursor is void; edits, creations and deletions of what it kept are refused; resync heals it."""
    records = house_full(cast)
    stays = cast.unit(records[0] if not whole else cast.object())
    phone = Phone.of(cast, cast.ivan)
    phone.pull()
    kept = phone.keys("objects") | phone.keys("units")
    assert str(records[1].pk) in kept
    gone = records if whole else records[1:]
    # Deleting the house takes everything along.
    gone_for_good(cast, *(gone[:1] if whole else gone))
    # Before it pulls, it pushes: stale edits of everything that it still holds.
    stale = [
        item(name, record.pk, 1, **EDITS[name])
        for record in gone
        for name, kind in KINDS.items()
        if kind.model is type(record)
    ]
    before = snapshot_of(gone)
    for api in (cast.api(cast.ivan), cast.api(cast.sergei), cast.api(cast.anna)):
        assert statuses(push(api, *stale, strategy=strategy)) == ["DELETED"] * len(gone)
        remade = push(api, *(creation(record) for record in gone), strategy=strategy)
        assert statuses(remade) == ["DELETED"] * len(gone)
    again = [removal(one["table_name"], one["client_generated_id"], 1) for one in stale]
    assert statuses(push(cast.api(cast.sergei), *again)) == ["DELETED"] * len(gone)
    assert snapshot_of(gone) == before
    # Then it pulls: 410, and afterwards it holds exactly what there is.
    phone.pull()
    assert phone.resyncs == ["purged"]
    assert phone.versions() == visible_versions(cast.ivan)
    held = {id_ for _table, id_ in phone.rows}
    assert not held & {str(record.pk) for record in gone}
    assert str(stays.pk) in held


def test_nor_through_the_api_or_what_hangs_on_it(cast: Cast) -> None:
    """Nothing new hangs on what is gone; the id is taken for ever."""
    house, unit, _customer, _visit = house_full(cast)
    gone_for_good(cast, house)
    ivan = cast.api(cast.ivan)
    late = [
        item("units", object_id=house.pk, unit_number="5"),
        item("visits", object_id=house.pk, unit_id=unit.pk),
        item("customers", object_id=house.pk),
    ]
    assert statuses(push(ivan, *late)) == ["VALIDATION_ERROR"] * 3
    for path in (f"objects/{house.pk}", f"units/{unit.pk}"):
        assert ivan.get(f"/api/v1/{path}").status_code == 404
        assert ivan.patch(f"/api/v1/{path}", {"version": 1}).status_code == 404
    # Somebody who never saw it, who brings the same id by chance, does not learn that it existed.
    assert statuses(push(cast.api(cast.timur), creation(house))) == ["NOT_FOUND"]
    assert Object.objects.get(pk=house.pk).is_deleted


def test_housekeeping_after_ninety_days_and_not_before(cast: Cast) -> None:
    """The command itself, by the calendar."""
    house, unit, _customer, _visit = house_full(cast)
    slept, early = Phone.of(cast, cast.ivan), Phone.of(cast, cast.ivan)
    slept.pull()
    early.pull()
    assert cast.api(cast.sergei).delete(f"/api/v1/units/{unit.pk}").status_code == 204
    deleted_at = timezone.now()
    with time_machine.travel(deleted_at + timedelta(days=TOMBSTONE_DAYS, hours=-1)):
        call_command("sync_cleanup", verbosity=0)
    assert [one["reason"] for one in early.pull()] == ["deleted"]
    assert early.resyncs == []
    with time_machine.travel(deleted_at + timedelta(days=TOMBSTONE_DAYS, hours=1)):
        call_command("sync_cleanup", verbosity=0)
    # Who has heard of it goes on; who has not starts over.
    assert early.pull() == []
    assert early.resyncs == []
    slept.pull()
    assert slept.resyncs == ["purged"]
    assert slept.versions() == early.versions() == visible_versions(cast.ivan)
    assert Object.objects.get(pk=house.pk).is_deleted is False


def snapshot_of(records: Any) -> list[Any]:
    """The rows as they stand."""
    return [type(record)._base_manager.filter(pk=record.pk).values().get() for record in records]
