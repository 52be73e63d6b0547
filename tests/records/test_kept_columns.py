"""What the database keeps moves as it should on every way of writing, whatever the writer supplies."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from clients.models import Customer
from crm.db.triggers.freezing import Freeze
from crm.records import SEND_AGAIN
from crm.territory.models import District
from objects.models import Object, Unit
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = {
    "version": 77,
    "field_versions": {"address": 99},
    "created_at": datetime(2001, 1, 1, tzinfo=UTC),
    "updated_at": datetime(2001, 1, 1, tzinfo=UTC),
    "feed_position": 123,
    "search_text": " forged ",
}


def kept(record: Any) -> dict[str, Any]:
    fresh = type(record).objects.get(pk=record.pk)
    return {name: getattr(fresh, name) for name in (*WRONG, "visits_count")}


def raw(sql: str, *params: Any) -> None:
    """As psql or the sqlite3 shell would write."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def db_id(record: Any) -> Any:
    return record._meta.pk.get_db_prep_value(record.pk, connection)


def by_save(record: Object) -> None:
    record.address = "ул. Новая, д. 1"
    for name, value in WRONG.items():
        setattr(record, name, value)
    record.save()


def by_save_of_fields(record: Object) -> None:
    record.address = "ул. Новая, д. 1"
    record.version = 77
    record.save(update_fields=["address", "version", "updated_at", "feed_position"])


def by_queryset_update(record: Object) -> None:
    Object.objects.filter(pk=record.pk).update(address="ул. Новая, д. 1", **WRONG)


def by_bulk_update(record: Object) -> None:
    record.address = "ул. Новая, д. 1"
    for name, value in WRONG.items():
        setattr(record, name, value)
    Object.objects.bulk_update([record], ["address", *WRONG])


def by_upsert(record: Object) -> None:
    record.address = "ул. Новая, д. 1"
    Object.objects.bulk_create(
        [record], update_conflicts=True, unique_fields=["id"], update_fields=["address", "version"]
    )


def by_sql(record: Object) -> None:
    raw(
        "UPDATE objects_object SET address = 'ул. Новая, д. 1', version = 77, updated_at = '2001-01-01',"
        " created_at = '2001-01-01', feed_position = 123, search_text = ' forged ' WHERE id = %s",
        db_id(record),
    )


WAYS = [by_save, by_save_of_fields, by_queryset_update, by_bulk_update, by_upsert, by_sql]


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_each_way_of_writing_moves_what_it_should_by_one(cast: Cast, write: Any) -> None:
    record = cast.object(address="ул. Старая, д. 1")
    before = kept(record)
    write(record)
    after = kept(record)
    assert after["version"] == before["version"] + 1 == 2
    assert after["field_versions"] == {"address": 2}
    assert after["created_at"] == before["created_at"]
    assert before["updated_at"] < after["updated_at"] < before["updated_at"] + timedelta(minutes=1)
    assert after["feed_position"] > before["feed_position"]
    assert after["search_text"].startswith(" ул новая д 1 москва")


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_a_write_that_changes_nothing_moves_nothing(cast: Cast, write: Any) -> None:
    record = cast.object(address="ул. Новая, д. 1")
    before = kept(record)
    write(record)
    assert kept(record) == before


@pytest.mark.parametrize("way", ["create", "bulk_create"])
def test_a_new_row_begins_at_version_one_whatever_was_supplied(cast: Cast, way: str) -> None:
    values = {
        "type": "CAFE",
        "address": "Кафе «Ёлка»",
        "city": cast.moscow,
        "visits_count": 9,
        **WRONG,
    }
    if way == "create":
        record = Object.objects.create(**values)
    else:
        (record,) = Object.objects.bulk_create([Object(**values)])
    assert (record.version, record.field_versions, record.visits_count) == (1, {}, 0)
    assert record.search_text == " кафе елка москва "
    assert record.created_at == record.updated_at > datetime(2020, 1, 1, tzinfo=UTC)
    assert record.feed_position not in (0, 123)
    assert kept(record) == {name: getattr(record, name) for name in (*WRONG, "visits_count")}


def test_saved_instances_hold_what_the_triggers_made(cast: Cast) -> None:
    record = cast.object()
    record.status = "INTEREST"
    record.save()
    assert (record.version, record.field_versions) == (2, {"status": 2})
    record.tags = ["а", "б"]
    record.status = "DONE"
    record.save()
    assert (record.version, record.field_versions) == (3, {"status": 3, "tags": 3})


def test_server_kept_fields_move_only_time_and_position(cast: Cast) -> None:
    record = cast.object()
    before = kept(record)
    Object.objects.filter(pk=record.pk).update(updated_by=cast.anna)
    after = kept(record)
    assert (after["version"], after["field_versions"]) == (1, {})
    assert after["updated_at"] > before["updated_at"]
    assert after["feed_position"] > before["feed_position"]


def test_counters_ignore_direct_writes(cast: Cast) -> None:
    record = cast.object()
    before = kept(record)
    Object.objects.filter(pk=record.pk).update(visits_count=42)
    raw("UPDATE objects_object SET visits_count = 43 WHERE id = %s", db_id(record))
    assert kept(record) == before


def test_sending_again_moves_only_the_position(cast: Cast) -> None:
    record = cast.object()
    before = kept(record)
    Object.objects.filter(pk=record.pk).send_again()
    after = kept(record)
    assert after.pop("feed_position") > before.pop("feed_position")
    assert after == before
    assert SEND_AGAIN not in after.values()


def test_json_is_compared_as_json(cast: Cast) -> None:
    record = cast.object(tags=["а", "б"])
    raw('UPDATE objects_object SET tags = \'["а",   "б"]\' WHERE id = %s', db_id(record))
    assert kept(record)["version"] == 1


def test_renaming_a_city_is_found_and_moves_nothing(cast: Cast) -> None:
    record = cast.object()
    before = kept(record)
    cast.moscow.name = "Москва-река"
    cast.moscow.save()
    after = kept(record)
    assert " река " in after.pop("search_text")
    before.pop("search_text")
    assert after == before


REFUSED = [
    ("objects_object", "address = 'ул'"),
    ("objects_object", "gps_lat = 55.7"),
    ("objects_object", "gps_lat = 91, gps_lng = 0"),
    ("objects_object", "contact_phone = '8 999 123'"),
    ("objects_object", "status = 'LOST'"),
    ("objects_object", "tags = '{}'"),
    ("objects_object", "tags = '[1]'"),
    ("objects_unit", "unit_number = ' '"),
    ("objects_unit", "attributes = '[]'"),
    ("clients_customer", "phone = '89991234567'"),
    ("clients_customer", "provider_rating = 6"),
    ("clients_customer", "interests = '[\"PIZZA\"]'"),
    ("clients_customer", "preferred_call_time = '25:00'"),
    ("visits_visit", "status = 'DONE'"),
    ("visits_visit", "status = 'DONE', outcome_text = '  '"),
    ("visits_visit", "started_at = '2026-02-02', finished_at = '2026-02-01'"),
]


@pytest.mark.parametrize(("table", "change"), REFUSED)
def test_the_database_itself_refuses(cast: Cast, table: str, change: str) -> None:
    parent = cast.object()
    cast.unit(parent)
    cast.customer(parent)
    cast.visit(parent, cast.ivan)
    with pytest.raises(IntegrityError), transaction.atomic():
        raw(f"UPDATE {table} SET {change}")


def test_parents_and_places_stay_consistent_for_every_writer(cast: Cast) -> None:
    one, other = cast.object(), cast.object()
    unit, customer = cast.unit(one), cast.customer(other)
    visit = cast.visit(one, cast.ivan)
    for rows, change in (
        (Unit.objects.filter(pk=unit.pk), {"object": other}),
        (Customer.objects.filter(pk=customer.pk), {"object": one}),
        (Customer.objects.filter(pk=customer.pk), {"unit": unit}),
        (Visit.objects.filter(pk=visit.pk), {"customer": customer}),
        (Object.objects.filter(pk=one.pk), {"district": cast.vakhitovsky}),
        (Object.objects.filter(pk=one.pk), {"city": cast.kazan}),
        (District.objects.filter(pk=cast.centre.pk), {"city": cast.kazan}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)


KEPT = ("crm.territory", "crm.users", "objects", "clients", "visits", "audit", "sync")


@pytest.mark.parametrize("app", KEPT)
def test_frozen_sql_is_what_the_descriptions_generate(app: str) -> None:
    frozen: list[Freeze] = import_module(f"{app}.kept").FROZEN
    for freeze in frozen:
        for path, text in freeze.files().items():
            assert path.read_text(encoding="utf-8") == text, path
