"""The feed as a phone meets it: what it holds, who is told what, and how rows look."""

import gzip
import json
from typing import Any

import pytest

from clients.models import Customer
from objects.models import Object
from sync import kept
from sync.entities import ENTITIES
from tests.cast import Cast
from tests.sync.phone import Phone, told
from tests.sync.truth import details, visible_versions
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


def town(cast: Cast) -> dict[str, Any]:
    """Some of everything, in both cities."""
    made: dict[str, Any] = {}
    for name, place in {
        "centre": {},
        "north": {"district": cast.north},
        "kazan": {"city": cast.kazan, "district": cast.vakhitovsky},
    }.items():
        parent = cast.object(
            contact_phone="+79035550101",
            tags=["лифт", "ключ"],
            gps_lat=55.1234567890123,
            gps_lng=37.1,
            **place,
        )
        unit = cast.unit(parent, floor=3, attributes={"дверь": {"код": 12, "x": [1, None, True]}})
        customer = cast.customer(
            parent,
            unit=unit,
            desired_price="499.90",
            satisfied=True,
            interests=["TV"],
            notes='Кавычки " и \\ обратная\nчерта\tи таб',
        )
        made |= {name: parent, f"{name}_unit": unit, f"{name}_customer": customer}
        engineer = {"centre": cast.ivan, "north": cast.pyotr, "kazan": cast.timur}[name]
        made[f"{name}_visit"] = cast.visit(parent, engineer, customer=customer, unit=unit)
    return made


def everyone_holds_what_they_see(cast: Cast, phones: dict[str, Phone]) -> None:
    for name, phone in phones.items():
        phone.pull()
        assert phone.versions() == visible_versions(getattr(cast, name)), name


def phones_of_all(cast: Cast, **settings: Any) -> dict[str, Phone]:
    names = ("anna", "sergei", "olga", "ivan", "pyotr", "timur")
    return {name: Phone.of(cast, getattr(cast, name), **settings) for name in names}


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_a_first_sync_gives_everybody_exactly_what_they_see(cast: Cast, limit: int) -> None:
    town(cast)
    phones = phones_of_all(cast, limit=limit)
    everyone_holds_what_they_see(cast, phones)
    assert {name: len(phone.rows) for name, phone in phones.items()} == {
        "anna": 12, "sergei": 8, "olga": 4, "ivan": 4, "pyotr": 4, "timur": 4,
    }  # fmt: skip
    for phone in phones.values():
        assert len(phone.told) == len(phone.rows)
        assert phone.pull() == []


@pytest.mark.parametrize("reader", ["anna", "sergei", "ivan"])
def test_each_row_says_field_by_field_what_the_detail_says(cast: Cast, reader: str) -> None:
    made = town(cast)
    Visit.objects.filter(pk=made["centre_visit"].pk).update(
        status="DONE", outcome_text="Готово", geo_captured_lat=55.7, geo_captured_lng=-0.1
    )
    cast.customer(made["centre"], phone="+420777123456", full_name=None)
    phone = Phone.of(cast, getattr(cast, reader))
    phone.pull()
    assert {table for table, _id in phone.rows} == {entity.name for entity in ENTITIES}
    nested = {"city", "district", "responsible_user", "object", "unit", "customer", "engineer"}
    for (table, id_), (version, data) in phone.rows.items():
        detail = details(phone.api, table, id_)
        assert data == {name: value for name, value in detail.items() if name not in nested}
        assert {name: type(value) for name, value in data.items()} == {
            name: type(detail[name]) for name in data
        } or data.get("desired_price") is not None
        assert version == data["version"]


def test_an_engineer_never_gets_a_whole_phone(cast: Cast) -> None:
    made = town(cast)
    phone = Phone.of(cast, cast.ivan)
    phone.pull()
    Customer.objects.filter(pk=made["centre_customer"].pk).update(phone="+79035550102")
    Object.objects.filter(pk=made["centre"].pk).update(contact_phone="+79035550103")
    Object.objects.filter(pk=made["centre"].pk).update(district=cast.north)
    phone.pull()
    whole = [c.phone for c in Customer.objects.all()] + [
        "+79035550101",
        "+79035550102",
        "+79035550103",
    ]
    for number in whole:
        assert number.encode() not in phone.bytes_seen
        assert number[2:].encode() not in phone.bytes_seen
    assert b"@" not in phone.bytes_seen
    supervisor = Phone.of(cast, cast.sergei)
    supervisor.pull()
    assert b"+79035550102" in supervisor.bytes_seen


def test_thirty_visits_beyond_the_territory_send_exactly_their_objects(cast: Cast) -> None:
    objects = [cast.object(district=cast.north) for _ in range(35)]
    hanging = {}
    for parent in objects:
        hanging[parent.pk] = [("units", cast.unit(parent)) for _ in range(2)]
        hanging[parent.pk].append(("customers", cast.customer(parent)))
    phones = phones_of_all(cast, limit=7)
    everyone_holds_what_they_see(cast, phones)
    visits = Visit.objects.bulk_create(
        [Visit(object=parent, engineer=cast.ivan) for parent in objects[:30]]
    )
    planned = {("visits", str(visit.pk), "upsert") for visit in visits}
    come = {("objects", str(parent.pk), "upsert") for parent in objects[:30]} | {
        (table, str(record.pk), "upsert")
        for parent in objects[:30]
        for table, record in hanging[parent.pk]
    }
    expected = dict.fromkeys(("anna", "sergei"), planned) | {"ivan": planned | come}
    for name, phone in phones.items():
        news = phone.pull()
        assert told(news) == expected.get(name, set()), name
        assert len(news) == len(told(news))
    everyone_holds_what_they_see(cast, phones)
    # Cancelled again, they go from that one phone, and the visits are changed for the others.
    Visit.objects.filter(pk__in=[visit.pk for visit in visits]).update(status="CANCELLED")
    gone = {(table, id_, "out_of_scope") for table, id_, _what in planned | come}
    for name, phone in phones.items():
        assert told(phone.pull()) == (gone if name == "ivan" else expected.get(name, set())), name
    everyone_holds_what_they_see(cast, phones)


def test_pages_can_be_compressed_and_asked_for_by_post(cast: Cast) -> None:
    town(cast)
    api = cast.api(cast.anna)
    zipped = api.get("/api/v1/sync/changes", headers={"accept-encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    items = json.loads(gzip.decompress(zipped.getvalue()))["items"]
    plain = json.loads(api.get("/api/v1/sync/changes/").getvalue())
    assert plain["items"] == items
    posted = api.post("/api/v1/sync/changes", {"limit": 5, "tables": ["visits", "objects"]})
    page = json.loads(posted.getvalue())
    assert [item["table_name"] for item in page["items"]].count("units") == 0
    assert (len(page["items"]), page["has_more"]) == (5, True)
    body = {"cursor": page["next_cursor"], "tables": "objects,visits"}
    rest = json.loads(api.post("/api/v1/sync/changes", body).getvalue())
    assert (len(rest["items"]), rest["has_more"]) == (1, False)
    assert page["server_time"].endswith("Z")


def test_frozen_sql_is_what_the_descriptions_generate() -> None:
    for freeze in kept.FROZEN:
        for path, text in freeze.files().items():
            assert path.read_text(encoding="utf-8") == text, path


def test_lists_and_coordinates_are_written_as_the_api_writes_them(cast: Cast) -> None:
    """Cyrillic readable, and no digit more than the number has."""
    house = cast.object(tags=["нет лифта", "ёж 🦔"], gps_lat=55.762894, gps_lng=0.1)
    odd = {
        "код двери": ["ключ у Ёлки 🦔", r"C:\u0434\дом", 'a"b\\', "\n\t\x01\x7f", {"q": "\u2028"}]
    }
    cast.unit(house, attributes=odd)
    phone = Phone.of(cast, cast.sergei)
    phone.pull()
    raw = phone.bytes_seen.decode()
    [unit] = [data for (table, _id), (_version, data) in phone.rows.items() if table == "units"]
    assert unit["attributes"] == odd == details(phone.api, "units", unit["id"])["attributes"]
    assert "код двери" in raw
    assert "ключ у Ёлки 🦔" in raw
    assert "нет лифта" in raw
    assert "ёж 🦔" in raw
    assert "55.762894," in raw
    assert "0.1," in raw
