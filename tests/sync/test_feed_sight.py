"""Entering and leaving sight, every way: whose phone is told what, and that it ends up with what they see.

Every step is also pulled by phones that slept through several steps, and by phones with pages of one row.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from crm.users.models import User
from objects.services import delete_object, restore_object
from tests.cast import Cast
from tests.sync.phone import Phone, told
from tests.sync.truth import visible_versions
from visits.services import delete_visit, restore_visit

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("anna", "sergei", "olga", "ivan", "pyotr", "timur")


class Field:
    """Everybody's phones, and one object with all that hangs on it."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.object = cast.object()
        self.unit = cast.unit(self.object)
        self.customer = cast.customer(self.object, unit=self.unit)
        self.visit = cast.visit(self.object, cast.ivan)
        # Others in the same places: they must never be mentioned.
        self.others = [cast.object(), cast.object(district=cast.north)]
        for other in self.others:
            cast.unit(other)
        self.awake = {name: Phone.of(cast, getattr(cast, name)) for name in NAMES}
        self.slow = {name: Phone.of(cast, getattr(cast, name), limit=1) for name in NAMES}
        self.asleep = {name: Phone.of(cast, getattr(cast, name), limit=2) for name in NAMES}
        self.pull(self.awake)
        self.pull(self.slow)
        self.pull(self.asleep)

    def pull(self, phones: dict[str, Phone]) -> dict[str, set[tuple[str, str, str]]]:
        """Everybody pulls, and then holds what they see. Returns what they were told."""
        news = {}
        for name, phone in phones.items():
            news[name] = told(phone.pull())
            assert phone.versions() == visible_versions(getattr(self.cast, name)), name
        return news

    def after(self, step: Callable[[], Any]) -> dict[str, set[tuple[str, str, str]]]:
        """What the awake phones are told of a step."""
        step()
        news = self.pull(self.awake)
        self.pull(self.slow)
        return news

    def wake(self) -> dict[str, set[tuple[str, str, str]]]:
        """What those hear who slept through it all."""
        return self.pull(self.asleep)

    def all(self, what: str, *tables: str) -> set[tuple[str, str, str]]:
        """(table, id, what) of the object and what hangs on it."""
        records = {
            "objects": self.object, "units": self.unit, "customers": self.customer, "visits": self.visit,
        }  # fmt: skip
        return {(table, str(records[table].pk), what) for table in tables or records}


OHC = ("objects", "units", "customers")


@pytest.fixture
def field(cast: Cast) -> Field:
    return Field(cast)


def update(record: Any, **values: Any) -> None:
    """As a bulk edit or psql would."""
    type(record)._base_manager.filter(pk=record.pk).update(**values)


def test_an_object_moves_to_another_district(cast: Cast, field: Field) -> None:
    # Ivan's visit keeps the object in his sight beyond his district.
    news = field.after(lambda: update(field.object, district=cast.north))
    assert news["ivan"] == news["sergei"] == news["anna"] == field.all("upsert")
    assert news["pyotr"] == field.all("upsert", *OHC)
    assert news["olga"] == news["timur"] == set()
    news = field.after(lambda: update(field.visit, status="CANCELLED"))
    assert news["ivan"] == field.all("out_of_scope")
    assert news["pyotr"] == set()
    news = field.after(lambda: update(field.object, district=cast.centre))
    assert news["ivan"] == field.all("upsert")
    assert news["pyotr"] == field.all("out_of_scope", *OHC)
    slept = field.wake()
    assert {what for _t, _id, what in slept["ivan"]} == {"upsert"}
    # Pyotr's sleeping phone never held it, though he could have seen it.
    assert slept["pyotr"] == field.all("out_of_scope", *OHC)
    assert slept["olga"] == slept["timur"] == set()


def test_an_object_moves_to_another_city_and_back(cast: Cast, field: Field) -> None:
    update(field.visit, status="CANCELLED")
    field.pull(field.awake)
    news = field.after(lambda: update(field.object, city=cast.kazan, district=cast.vakhitovsky))
    assert news["sergei"] == news["ivan"] == field.all("out_of_scope")
    assert news["olga"] == field.all("upsert")
    assert news["timur"] == field.all("upsert", *OHC)
    assert news["pyotr"] == set()
    # A flat made there is none of Moscow's business, not even its end.
    there = cast.unit(field.object)
    mine = {("units", str(there.pk))}
    field.pull(field.awake)
    update(there, deleted_at="2026-01-01T00:00:00Z")
    news = field.after(lambda: update(field.object, city=cast.moscow, district=cast.centre))
    assert news["olga"] == field.all("out_of_scope") | {("units", str(there.pk), "deleted")}
    assert news["sergei"] == news["ivan"] == field.all("upsert")
    for name, items in field.wake().items():
        if name not in ("anna", "olga", "timur"):
            assert not mine & {item[:2] for item in items}, name


def test_what_was_deleted_elsewhere_is_forgotten_by_who_held_it(cast: Cast, field: Field) -> None:
    update(field.object, district=cast.north)
    update(field.unit, deleted_at="2026-01-01T00:00:00Z")
    update(field.object, district=cast.centre)
    news = field.wake()
    assert ("units", str(field.unit.pk), "deleted") in news["ivan"] & news["sergei"] & news["pyotr"]
    field.pull(field.awake)
    field.pull(field.slow)


def test_the_responsible_person_changes(cast: Cast, field: Field) -> None:
    news = field.after(lambda: update(field.object, responsible_user=cast.timur))
    assert news["timur"] == field.all("upsert", *OHC)
    assert news["olga"] == news["pyotr"] == set()
    assert news["sergei"] == field.all("upsert", "objects")
    news = field.after(lambda: update(field.object, responsible_user=cast.pyotr))
    assert news["timur"] == field.all("out_of_scope", *OHC)
    assert news["pyotr"] == field.all("upsert", *OHC)
    # Made afterwards: Timur must not even hear its id.
    later = cast.unit(field.object)
    news = field.wake()
    assert news["timur"] == field.all("out_of_scope", *OHC)
    assert ("units", str(later.pk), "upsert") in news["pyotr"]
    field.pull(field.awake)
    field.pull(field.slow)


def test_a_visit_is_reassigned_cancelled_reopened_deleted_and_restored(
    cast: Cast, field: Field
) -> None:
    news = field.after(lambda: update(field.visit, engineer=cast.timur))
    assert news["timur"] == field.all("upsert")
    assert news["ivan"] == field.all("out_of_scope", "visits")
    assert news["sergei"] == field.all("upsert", "visits")
    news = field.after(lambda: update(field.visit, status="CANCELLED"))
    assert news["timur"] == field.all("out_of_scope")
    news = field.after(lambda: update(field.visit, status="PLANNED"))
    assert news["timur"] == field.all("upsert")
    news = field.after(lambda: delete_visit(actor=cast.anna, record_id=field.visit.pk))
    assert news["timur"] == field.all("out_of_scope", *OHC) | field.all("deleted", "visits")
    assert news["sergei"] == field.all("deleted", "visits")
    assert news["ivan"] == news["pyotr"] == set()
    news = field.after(lambda: restore_visit(actor=cast.anna, record_id=field.visit.pk))
    assert news["timur"] == field.all("upsert")
    assert news["ivan"] == set()
    news = field.after(lambda: update(field.visit, engineer=cast.pyotr))
    assert news["timur"] == field.all("out_of_scope")
    slept = field.wake()
    assert slept["olga"] == set()
    assert slept["ivan"] == field.all("out_of_scope", "visits")


def test_a_visit_moves_to_another_object(cast: Cast, field: Field) -> None:
    there = cast.object(city=cast.kazan, district=cast.vakhitovsky)
    field.pull(field.awake)
    news = field.after(lambda: update(field.visit, object=there))
    assert news["sergei"] == field.all("out_of_scope", "visits")
    assert news["olga"] == field.all("upsert", "visits")
    assert news["timur"] == set()
    assert news["ivan"] == field.all("upsert", "visits") | {("objects", str(there.pk), "upsert")}
    field.wake()


def test_a_visit_leaves_an_object_that_has_moved_before(cast: Cast, field: Field) -> None:
    there = cast.object(city=cast.kazan, district=cast.vakhitovsky)
    update(field.object, city=cast.kazan, district=None)
    update(field.visit, object=there)
    assert field.all("out_of_scope", "visits") <= field.wake()["sergei"]
    field.pull(field.awake)
    field.pull(field.slow)


def test_an_object_is_deleted_and_restored_with_all_that_hangs_on_it(
    cast: Cast, field: Field
) -> None:
    update(field.object, district=cast.north, responsible_user=cast.timur)
    field.pull(field.awake)
    field.pull(field.slow)
    news = field.after(lambda: delete_object(actor=cast.anna, record_id=field.object.pk))
    for name in ("anna", "sergei", "ivan"):
        assert news[name] == field.all("deleted"), name
    assert news["pyotr"] == news["timur"] == field.all("deleted", *OHC)
    assert news["olga"] == set()
    news = field.after(lambda: restore_object(actor=cast.anna, record_id=field.object.pk))
    for name in ("anna", "sergei", "ivan"):
        assert news[name] == field.all("upsert"), name
    assert news["pyotr"] == news["timur"] == field.all("upsert", *OHC)
    assert news["olga"] == set()
    field.wake()


def test_a_deletion_from_before_sight_began_is_not_told(cast: Cast, field: Field) -> None:
    gone = cast.unit(field.object)
    update(gone, deleted_at="2026-01-01T00:00:00Z")
    update(field.object, district=cast.north)
    cast.visit(field.object, cast.timur)
    for name, items in field.wake().items():
        told_of = ("units", str(gone.pk)) in {item[:2] for item in items}
        assert told_of == (name in ("anna", "sergei", "ivan")), name


@pytest.mark.parametrize(
    "change",
    [
        {"role": "SUPERVISOR", "district": None},
        {"district": None},
        {"city": None, "district": None},
        {"role": "ADMIN"},
        "north",
        "kazan",
    ],
    ids=str,
)
def test_a_change_of_role_or_territory_starts_over(cast: Cast, field: Field, change: Any) -> None:
    places = {
        "north": {"district": cast.north},
        "kazan": {"city": cast.kazan, "district": cast.vakhitovsky},
    }
    User.objects.filter(pk=cast.ivan.pk).update(
        **(places[change] if isinstance(change, str) else change)
    )
    phone = field.awake["ivan"]
    masked = b"***" in phone.bytes_seen
    phone.bytes_seen = b""
    phone.pull()
    assert masked
    assert phone.resyncs == ["scope_changed"]
    assert phone.versions() == visible_versions(cast.ivan)
    if isinstance(change, dict) and "role" in change:
        assert b"***" not in phone.bytes_seen
        assert field.customer.phone.encode() in phone.bytes_seen
    assert phone.pull() == []


def test_a_first_sync_in_pages_survives_changes_between_them(cast: Cast, field: Field) -> None:
    steps: list[Callable[[], None]] = [
        lambda: update(field.object, district=cast.north),
        lambda: update(field.unit, deleted_at="2026-01-01T00:00:00Z"),
        lambda: update(field.visit, status="CANCELLED"),
        lambda: update(field.object, district=cast.centre),
        lambda: update(field.customer, notes="поздно"),
        lambda: update(field.visit, engineer=cast.pyotr),
    ]
    phones = {name: Phone.of(cast, getattr(cast, name), limit=1) for name in NAMES}
    for step in steps:
        for phone in phones.values():
            phone.pull_page()
        step()
    field.pull(phones)
    # An empty phone has nothing to forget but what it got meanwhile.
    for name, phone in phones.items():
        got = set()
        for item in phone.told:
            key = (item["table_name"], item["id"])
            if item["action"] != "delete":
                got.add(key)
            elif name in ("olga", "timur"):
                assert key in got
    field.pull(field.asleep)


def test_a_move_and_back_in_one_transaction(cast: Cast, field: Field) -> None:
    with transaction.atomic():
        update(field.object, district=cast.north)
        update(field.object, district=cast.centre)
        update(field.object, district=cast.north)
    assert field.all("upsert") == field.wake()["ivan"]
    field.pull(field.awake)
    field.pull(field.slow)


def test_units_and_customers_deleted_and_restored(cast: Cast, field: Field) -> None:
    for record, table in ((field.unit, "units"), (field.customer, "customers")):
        news = field.after(partial(update, record, deleted_at="2026-01-01T00:00:00Z"))
        assert field.all("deleted", table) <= news["ivan"] & news["sergei"] & news["anna"]
        assert news["pyotr"] == news["olga"] == set()
        news = field.after(partial(update, record, deleted_at=None))
        assert field.all("upsert", table) <= news["ivan"] & news["sergei"]
    field.wake()
