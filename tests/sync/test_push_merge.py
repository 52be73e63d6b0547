"""The merge matrix: each field of each table, two clients who started from one version."""

from typing import Any

import pytest

from clients.models import Customer
from crm.masking import mask_phone
from crm.territory.models import City
from sync.kinds import KINDS
from sync.payloads import Payloads
from tests.cast import Cast
from tests.sync.pushing import item, push

pytestmark = pytest.mark.django_db

# Table → field → two different values that a supervisor may set (callables get the cast).
VALUES: dict[str, dict[str, tuple[Any, Any]]] = {
    "objects": {
        "type": ("CAFE", "HOTEL"),
        "address": ("ул. Левая, д. 1", "ул. Правая, д. 2"),
        "city_id": (lambda c: c.kazan.pk, lambda c: c.moscow.pk),
        "district_id": (lambda c: c.north.pk, None),
        "gps_lat": (55.5, 56.5),
        "gps_lng": (37.5, 38.5),
        "status": ("INTEREST", "DONE"),
        "tags": (["а"], ["б"]),
        "responsible_user_id": (lambda c: c.ivan.pk, lambda c: c.pyotr.pk),
        "contact_name": ("Анна", "Мария"),
        "contact_phone": ("+79161112233", "+79161112244"),
    },
    "units": {
        "unit_number": ("левая", "правая"),
        "floor": (1, 2),
        "entrance": (1, 2),
        "attributes": ({"a": 1}, {"a": 2}),
    },
    "customers": {
        "unit_id": (lambda c: c.flats[0].pk, lambda c: c.flats[1].pk),
        "full_name": ("Анна", "Мария"),
        "phone": ("+79161112233", "+79161112244"),
        "portrait_text": ("a", "b"),
        "current_provider": ("a", "b"),
        "provider_rating": (1, 2),
        "satisfied": (True, False),
        "interests": (["TV"], ["CCTV"]),
        "preferred_call_time": ("10:00", "11:00"),
        "desired_price": (100, 200.5),
        "notes": ("a", "b"),
        "gdpr_consent": (True, False),
    },
    "visits": {
        "object_id": (lambda c: c.houses[0].pk, lambda c: c.houses[1].pk),
        "unit_id": (lambda c: c.flats[0].pk, lambda c: c.flats[1].pk),
        "customer_id": (lambda c: c.people[0].pk, lambda c: c.people[1].pk),
        "engineer_id": (lambda c: c.pyotr.pk, lambda c: c.sergei.pk),
        "scheduled_at": ("2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"),
        "started_at": ("2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z"),
        "finished_at": ("2026-01-01T11:00:00Z", "2026-01-01T11:05:00Z"),
        "status": ("IN_PROGRESS", "CANCELLED"),
        "interests": (["TV"], ["CCTV"]),
        "outcome_text": ("a", "b"),
        "next_action_due_at": ("2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"),
        "geo_captured_lat": (55.5, 56.5),
        "geo_captured_lng": (37.5, 38.5),
    },
}
# The parents of units and customers never change; false is where gdpr_consent starts from.
NEVER = {("units", "object_id"), ("customers", "object_id")}
CASES = [(table, name) for table, fields in VALUES.items() for name in fields]


def test_the_matrix_is_whole(cast: Cast) -> None:
    for table, kind in KINDS.items():
        writable = {n for n in Payloads(kind, cast.anna).writable if (table, n) not in NEVER}
        assert writable == VALUES[table].keys()


def ground(cast: Cast, table: str, field: str) -> Any:
    """The record that both clients hold, and what their values refer to."""
    house = cast.object(gps_lat=1.0, gps_lng=1.0)
    cast.flats = [cast.unit(house), cast.unit(house)]  # type: ignore[attr-defined]
    cast.people = [cast.customer(house), cast.customer(house)]  # type: ignore[attr-defined]
    cast.houses = [cast.object(), cast.object()]  # type: ignore[attr-defined]
    if (table, field) == ("objects", "city_id"):
        return cast.object(district=None, city=City.objects.create(name="Тверь"))
    if table == "objects":
        return cast.object(gps_lat=1.0, gps_lng=1.0)
    if table == "units":
        return cast.unit(house)
    if table == "customers":
        return cast.customer(house)
    if field in {"started_at", "finished_at"}:
        return cast.visit(
            house, cast.ivan, status="DONE", outcome_text="x",
            started_at="2026-01-01T08:00:00Z", finished_at="2026-01-01T20:00:00Z",
        )  # fmt: skip
    return cast.visit(house, cast.ivan, geo_captured_lat=1.0, geo_captured_lng=1.0)


def told(cast: Cast, value: Any) -> Any:
    return value(cast) if callable(value) else value


def other_field(table: str, field: str) -> tuple[str, Any]:
    """Another field of the table, that has no rule in common with the first one."""
    return {
        "objects": ("contact_name", "Другая") if field != "contact_name" else ("type", "SCHOOL"),
        "units": ("floor", 77) if field != "floor" else ("entrance", 77),
        "customers": ("notes", "другое") if field != "notes" else ("full_name", "Другая"),
        "visits": ("scheduled_at", "2026-05-05T10:00:00Z")
        if field != "scheduled_at"
        else ("interests", ["OTHER"]),
    }[table]


def shown(cast: Cast, table: str, pk: Any) -> dict[str, Any]:
    found: dict[str, Any] = cast.api(cast.anna).get(f"/api/v1/{table}/{pk}").json()
    return found


@pytest.mark.parametrize(("table", "field"), CASES)
def test_disjoint_edits_both_survive(cast: Cast, table: str, field: str) -> None:
    record = ground(cast, table, field)
    api = cast.api(cast.anna)
    name, theirs = other_field(table, field)
    mine = told(cast, VALUES[table][field][0])
    assert push(api, item(table, record.pk, 1, **{name: theirs}))[0]["status"] == "updated"
    sent = item(table, record.pk, 1, **{field: mine})
    [refused] = push(api, sent)
    assert (refused["status"], refused["resolution_hints"]["code"]) == ("conflict", "STALE_VERSION")
    assert refused["resolution_hints"]["strategy"] == "merge"
    [merged] = push(api, sent, strategy="merge")
    assert (merged["status"], merged["server_version"]) == ("updated", 3)
    after = shown(cast, table, record.pk)
    assert after[field] == (str(mine) if field.endswith("_id") else mine)
    assert after[name] == theirs


@pytest.mark.parametrize(("table", "field"), CASES)
def test_equal_edits_are_no_conflict(cast: Cast, table: str, field: str) -> None:
    record = ground(cast, table, field)
    mine = told(cast, VALUES[table][field][0])
    for moment in ("first", "second"):
        sent = item(table, record.pk, 1, **{field: mine}) | {"updated_at": moment}
        [result] = push(cast.api(cast.anna), sent)
        assert (result["status"], result["server_version"], result["replayed"]) == (
            "updated",
            2,
            False,
        )
    other = cast.api(cast.sergei)
    # A city that Sergei does not see is no record of his.
    if (table, field) != ("objects", "city_id"):
        [result] = push(other, sent)
        assert (result["status"], result["server_version"]) == ("updated", 2)


@pytest.mark.parametrize(("table", "field"), CASES)
def test_different_edits_conflict(cast: Cast, table: str, field: str) -> None:
    record = ground(cast, table, field)
    theirs, mine = (told(cast, value) for value in VALUES[table][field])
    api = cast.api(cast.anna)
    if (table, field) == ("customers", "gdpr_consent"):
        Customer.objects.filter(pk=record.pk).update(gdpr_consent=True)
        Customer.objects.filter(pk=record.pk).update(gdpr_consent=False)
        theirs, mine = False, True
    else:
        assert push(api, item(table, record.pk, 1, **{field: theirs}))[0]["status"] == "updated"
    before = shown(cast, table, record.pk)
    for strategy in ("reject", "merge"):
        [result] = push(api, item(table, record.pk, 1, **{field: mine}), strategy=strategy)
        assert result["status"] == "conflict"
        assert result["resolution_hints"]["code"] == "HARD_CONFLICT"
        assert result["diff"]["conflicting_fields"] == [field]
        both = result["diff"]["diff"][field]
        assert both["server"] == result["diff"]["server_data"][field] == before[field]
        assert both["client"] == result["diff"]["client_data"][field]
    assert shown(cast, table, record.pk) == before
    personal = field in {"phone", "contact_phone"}
    if personal:
        [result] = push(cast.api(cast.ivan), item(table, record.pk, 1, **{field: mine}))
        assert result["diff"]["diff"][field] == {
            "server": mask_phone(theirs),
            "client": mask_phone(mine),
        }


def test_own_fields_in_a_conflict_are_those_of_the_api(cast: Cast) -> None:
    """A conflict shows a record as its detail does, without the summaries."""
    house = cast.object(contact_phone="+79161112233", gps_lat=1.5, gps_lng=2.5, tags=["а"])
    unit = cast.unit(house, attributes={"a": [1, None]})
    customer = cast.customer(house, unit=unit, desired_price="100.50", interests=["TV"])
    visit = cast.visit(house, cast.ivan, unit=unit, customer=customer)
    for user in (cast.ivan, cast.sergei):
        for table, record, field, value in (
            ("objects", house, "status", "DONE"), ("units", unit, "floor", 9),
            ("customers", customer, "notes", "x"), ("visits", visit, "outcome_text", "x"),
        ):  # fmt: skip
            [result] = push(cast.api(user), item(table, record.pk, None, **{field: value}))
            detail = cast.api(user).get(f"/api/v1/{table}/{record.pk}").json()
            data = result["diff"]["server_data"]
            assert data == {name: detail[name] for name in data}
            assert {
                n for n in detail if n.endswith("_id") or n in {"id", "version", "updated_at"}
            } <= data.keys()
