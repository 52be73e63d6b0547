"""What a push does with each item."""

from typing import Any
from uuid import uuid4

import pytest

from clients.models import Customer
from objects.models import Object, Unit
from sync.refused import RefusedItem
from tests.cast import Cast
from tests.contracts.envelope import invalid, refused
from tests.sync.pushing import URL, item, push, removal, statuses
from visits.models import Visit

pytestmark = pytest.mark.django_db


def test_a_visit_may_come_before_its_object(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    house = item("objects", address="ул. Ёлочная, д. 5")
    flat = item("units", object_id=house["client_generated_id"], unit_number="7")
    person = item(
        "customers",
        object_id=house["client_generated_id"],
        unit_id=flat["client_generated_id"],
        full_name="Мария",
        phone="8 (999) 123-45-67",
    )
    visit = item(
        "visits",
        object_id=house["client_generated_id"],
        customer_id=person["client_generated_id"],
        unit_id=flat["client_generated_id"],
        status="DONE",
        outcome_text="Хочет интернет",
        started_at="2026-01-01T09:00:00Z",
        finished_at="2026-01-01T09:30:00Z",
    )
    results = push(api, visit, person, flat, house)
    assert statuses(results) == ["created"] * 4
    assert all(
        r["server_id"] == r["client_generated_id"] and r["server_version"] == 1 for r in results
    )
    stored = Visit.objects.get(pk=visit["client_generated_id"])
    assert (stored.engineer_id, stored.status) == (cast.ivan.pk, "DONE")
    assert stored.started_at.isoformat() == "2026-01-01T09:00:00+00:00"
    assert Customer.objects.get().phone == "+79991234567"
    building = Object.objects.get()
    assert (building.type, building.visits_count, building.district_id) == (
        "MKD",
        1,
        cast.centre.pk,
    )
    assert building.created_by_id == cast.ivan.pk


def test_an_edit_is_based_on_its_version(cast: Cast) -> None:
    unit = cast.unit(cast.object())
    api = cast.api(cast.ivan)
    assert statuses(push(api, item("units", unit.pk, 1, floor=3))) == ["updated"]
    [result] = push(api, item("units", unit.pk, 1, entrance=2))
    assert result["status"] == "conflict"
    assert result["resolution_hints"]["code"] == "STALE_VERSION"
    assert result["diff"]["server_data"]["floor"] == 3
    assert result["diff"]["expected_version"] == 1
    assert result["diff"]["current_version"] == result["server_version"] == 2
    [result] = push(api, item("units", unit.pk, 1, entrance=2), strategy="merge")
    assert (result["status"], result["server_version"]) == ("updated", 3)
    [result] = push(api, item("units", unit.pk, 1, floor=9), strategy="merge")
    assert result["diff"]["conflicting_fields"] == ["floor"]
    assert result["diff"]["diff"] == {"floor": {"server": 3, "client": 9}}
    assert result["resolution_hints"]["code"] == "HARD_CONFLICT"
    [result] = push(api, item("units", unit.pk, 1, floor=9), force=True)
    assert (result["status"], result["server_version"]) == ("updated", 4)
    unit.refresh_from_db()
    assert (unit.floor, unit.entrance, unit.version) == (9, 2, 4)


def test_no_version_is_a_conflict_unless_nothing_differs(cast: Cast) -> None:
    unit = cast.unit(cast.object(), floor=3)
    api = cast.api(cast.ivan)
    assert statuses(push(api, item("units", unit.pk, floor=4))) == ["conflict"]
    assert statuses(push(api, item("units", unit.pk, floor=4), strategy="merge")) == ["conflict"]
    [result] = push(api, item("units", unit.pk, floor=3, unit_number=unit.unit_number))
    assert (result["status"], result["server_version"]) == ("updated", 1)
    assert statuses(push(api, item("units", unit.pk, floor=4), strategy="force")) == ["updated"]


def test_a_chain_is_no_conflict_with_itself(cast: Cast) -> None:
    unit = cast.unit(cast.object())
    api = cast.api(cast.ivan)
    chain = [item("units", unit.pk, 1, floor=n) for n in (1, 2, 3)]
    assert [r["server_version"] for r in push(api, *chain)] == [2, 3, 4]
    # The answer was lost; two more edits followed, both still based on version 1.
    later = [item("units", unit.pk, 1, floor=n) for n in (8, 9)]
    results = push(api, *chain, *later)
    assert [(r["server_version"], r["replayed"]) for r in results] == [
        (2, True), (3, True), (4, True), (5, False), (6, False),
    ]  # fmt: skip
    unit.refresh_from_db()
    assert (unit.floor, unit.version) == (9, 6)


def test_a_chain_does_not_hide_what_others_changed(cast: Cast) -> None:
    """The first edit merges over another's; the second meets that other's field."""
    unit = cast.unit(cast.object())
    Unit.objects.filter(pk=unit.pk).update(floor=5)
    chain = [item("units", unit.pk, 1, entrance=2), item("units", unit.pk, 1, floor=7)]
    results = push(cast.api(cast.ivan), *chain, strategy="merge")
    assert statuses(results) == ["updated", "conflict"]
    assert results[1]["diff"]["conflicting_fields"] == ["floor"]


def test_create_then_edit_then_delete(cast: Cast) -> None:
    house = item("objects", address="ул. Ёлочная, д. 5", city_id=cast.moscow.pk)
    key = house["client_generated_id"]
    unit = item("units", object_id=key, unit_number="1")
    edit, end, again = (
        item("objects", key, address="ул. Новая, д. 6"),
        removal("objects", key, 1),
        item("objects", key, status="DONE"),
    )
    results = push(cast.api(cast.sergei), house, edit, end, again, unit)
    assert statuses(results) == ["created", "updated", "deleted", "DELETED", "created"]
    gone, flat = Object.objects.get(pk=key), Unit.objects.get()
    assert gone.is_deleted
    assert flat.deletion_id == gone.deletion_id
    assert gone.address == "ул. Новая, д. 6"


def test_a_bad_item_fails_only_what_depends_on_it(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    bad = item("objects", address="ул")
    key = bad["client_generated_id"]
    mended = item("objects", key, address="ул. Хорошая, д. 1")
    flat = item("units", object_id=key, unit_number="1")
    person = item("customers", object_id=key, unit_id=flat["client_generated_id"])
    visit = item("visits", object_id=key, customer_id=person["client_generated_id"])
    other = item("objects", address="ул. Другая, д. 1")
    results = push(api, visit, person, flat, bad, mended, other)
    failed = "DEPENDENCY_FAILED"
    assert statuses(results) == [failed, failed, failed, "VALIDATION_ERROR", failed, "created"]
    assert results[3]["fields"].keys() == {"address"}
    assert results[3]["server_id"] is None
    # Judged afresh: the mended batch heals what hung on it.
    bad["payload"]["address"] = "ул. Мира, д. 1"
    assert statuses(push(api, visit, person, flat, bad)) == ["created"] * 4


def test_a_failed_edit_does_not_fail_what_refers_to_the_record(cast: Cast) -> None:
    house = cast.object()
    results = push(
        cast.api(cast.ivan),
        item("objects", house.pk, 1, address="ул"),
        item("objects", house.pk, 1, status="DONE"),
        item("units", object_id=house.pk, unit_number="1"),
    )
    assert statuses(results) == ["VALIDATION_ERROR", "updated", "created"]


def test_deleted_and_never_seen(cast: Cast) -> None:
    house, foreign, gone_abroad = (
        cast.object(),
        cast.object(city=cast.kazan),
        cast.object(city=cast.kazan),
    )
    unit = cast.unit(house)
    anna = cast.api(cast.anna)
    push(anna, removal("objects", house.pk, 1), removal("objects", gone_abroad.pk, 1))
    for action in (item, removal):
        results = push(
            cast.api(cast.ivan),
            action("objects", house.pk, 1),
            action("units", unit.pk, 1),
            action("objects", foreign.pk, 1),
            action("objects", gone_abroad.pk, 1),
        )
        assert statuses(results) == ["DELETED", "DELETED", "NOT_FOUND", "NOT_FOUND"]
        assert [r["server_version"] for r in results[2:]] == [None, None]
    assert statuses(push(anna, removal("units", uuid4()))) == ["NOT_FOUND"]
    assert Object.objects.get(pk=house.pk).is_deleted


def test_what_was_seen_by_a_visit_and_deleted_is_deleted(cast: Cast) -> None:
    far = cast.object(city=cast.kazan)
    customer, visit = cast.customer(far), cast.visit(far, cast.ivan)
    stranger = cast.visit(far, cast.timur)
    cast.api(cast.anna).delete(f"/api/v1/objects/{far.pk}")
    results = push(
        cast.api(cast.ivan),
        item("objects", far.pk, 1, status="DONE"),
        item("customers", customer.pk, 1, notes="x"),
        item("visits", visit.pk, 1, outcome_text="x"),
        item("visits", stranger.pk, 1, outcome_text="x"),
    )
    assert statuses(results) == ["DELETED", "DELETED", "DELETED", "NOT_FOUND"]


def test_engineers_delete_nothing(cast: Cast) -> None:
    house = cast.object()
    visit = cast.visit(house, cast.ivan)
    results = push(
        cast.api(cast.ivan), removal("objects", house.pk, 1), removal("visits", visit.pk, 1)
    )
    assert statuses(results) == ["FORBIDDEN", "FORBIDDEN"]
    assert Object.objects.live().count() == 1


def test_a_deletion_of_what_others_changed_is_a_conflict(cast: Cast) -> None:
    unit = cast.unit(cast.object())
    Unit.objects.filter(pk=unit.pk).update(floor=5)
    api = cast.api(cast.sergei)
    for strategy in ("reject", "merge"):
        [result] = push(api, removal("units", unit.pk, 1), strategy=strategy)
        assert (result["status"], result["diff"]["conflicting_fields"]) == ("conflict", ["floor"])
    assert statuses(push(api, removal("units", unit.pk))) == ["conflict"]
    [result] = push(api, removal("units", unit.pk, 2))
    assert (result["status"], result["server_version"]) == ("deleted", 2)
    [again] = push(api, removal("units", unit.pk, 2))
    assert again == {**result, "replayed": True}


def test_fields_that_an_engineer_may_not_change(cast: Cast) -> None:
    house = cast.object()
    results = push(
        cast.api(cast.ivan),
        item("objects", house.pk, 1, responsible_user_id=cast.ivan.pk),
        item("objects", address="ул. Мира, д. 1", responsible_user_id=cast.sergei.pk),
        item("visits", object_id=house.pk, engineer_id=cast.pyotr.pk),
        item("objects", address="ул. Мира, д. 2", city_id=cast.kazan.pk, district_id=None),
    )
    assert statuses(results) == ["FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "VALIDATION_ERROR"]
    assert [list(r["fields"]) for r in results] == [
        ["responsible_user_id"], ["responsible_user_id"], ["engineer_id"], ["city_id"],
    ]  # fmt: skip


def test_references_out_of_sight_are_refused(cast: Cast) -> None:
    foreign = cast.object(city=cast.kazan)
    results = push(
        cast.api(cast.ivan),
        item("units", object_id=foreign.pk, unit_number="1"),
        item("customers", object_id=uuid4()),
        item("visits"),
    )
    assert statuses(results) == ["VALIDATION_ERROR"] * 3
    assert all(list(r["fields"]) == ["object_id"] for r in results)


def test_duplicates(cast: Cast) -> None:
    house, foreign = cast.object(), cast.object(city=cast.kazan)
    mine, theirs = cast.customer(house), cast.customer(foreign)
    unit = cast.unit(house)
    first = item(
        "customers",
        "00000000-0000-7000-8000-000000000001",
        object_id=house.pk,
        phone="+79990000001",
    )
    second = item(
        "customers",
        "00000000-0000-7000-8000-000000000002",
        object_id=house.pk,
        phone="+79990000001",
    )
    results = push(
        cast.api(cast.ivan),
        item("customers", object_id=house.pk, phone=mine.phone),
        item("customers", object_id=house.pk, phone=theirs.phone),
        item("units", object_id=house.pk, unit_number=unit.unit_number),
        second,
        first,
    )
    assert statuses(results) == ["DUPLICATE", "DUPLICATE", "DUPLICATE", "DUPLICATE", "created"]
    assert [r["existing_id"] for r in results] == [
        str(mine.pk), None, str(unit.pk), first["client_generated_id"], None,
    ]  # fmt: skip
    assert results[0]["fields"].keys() == {"phone"}


def test_a_phone_that_an_edit_lets_go_is_free(cast: Cast) -> None:
    house = cast.object()
    a, b = sorted((cast.customer(house), cast.customer(house)), key=lambda c: c.pk)
    results = push(
        cast.api(cast.sergei),
        item("customers", b.pk, 1, phone=a.phone),
        item("customers", a.pk, 1, phone="+79995550000"),
        item("customers", object_id=house.pk, phone=b.phone),
    )
    assert statuses(results) == ["updated", "updated", "created"]


def test_masks_in_a_push(cast: Cast) -> None:
    house = cast.object()
    customer = cast.customer(house, phone="+79161234567")
    api = cast.api(cast.ivan)
    mask = "+7 (***) ***-**67"
    [result] = push(api, item("customers", customer.pk, 1, phone=mask, notes="да"))
    assert (result["status"], result["server_version"]) == ("updated", 2)
    [result] = push(api, item("customers", customer.pk, 1, phone="+7 (***) ***-**11"))
    assert result["status"] == "conflict"
    [result] = push(api, item("customers", customer.pk, 2, phone="+7 (***) ***-**11"))
    assert (result["error_code"], list(result["fields"])) == ("VALIDATION_ERROR", ["phone"])
    customer.refresh_from_db()
    assert (customer.phone, customer.notes) == ("+79161234567", "да")


def test_an_engineer_never_gets_a_whole_phone(cast: Cast) -> None:
    house = cast.object(contact_phone="+79035550011")
    customer = cast.customer(house, phone="+79161234567")
    foreign = cast.customer(cast.object(city=cast.kazan), phone="+79167654321")
    Customer.objects.update(notes="x")
    Object.objects.update(contact_name="x")
    answer = cast.api(cast.ivan).post(
        URL,
        {
            "items": [
                item("customers", customer.pk, 1, phone="+79990001122", notes="y"),
                item("objects", house.pk, 1, contact_phone="+79990001133", contact_name="y"),
                item("customers", object_id=house.pk, phone=foreign.phone),
                item("customers", customer.pk, 2, phone="8 916 765 43 21"),
                item("customers", customer.pk, 2, phone="много"),
            ]
        },
    )
    assert answer.status_code == 409
    digits = "".join(c for c in answer.content.decode() if c not in " ()-+")
    for hidden in ("9161234567", "9035550011", "9167654321", "9990001122", "9990001133"):
        assert hidden not in digits
    whole = cast.api(cast.sergei).post(
        URL, {"items": [item("customers", customer.pk, 1, notes="z")]}
    )
    assert "+79161234567" in whole.content.decode()


def test_times_of_the_phone(cast: Cast) -> None:
    house = cast.object()
    planned = cast.visit(house, cast.ivan)
    results = push(
        cast.api(cast.ivan),
        item(
            "visits",
            planned.pk,
            1,
            status="DONE",
            outcome_text="Да",
            started_at="2026-01-01T09:00:00Z",
            finished_at="2026-01-01T09:20:00Z",
        ),
        item(
            "visits",
            object_id=house.pk,
            status="DONE",
            outcome_text="Да",
            finished_at="2999-01-01T00:00:00Z",
        ),
        item("visits", object_id=house.pk, status="DONE"),
        item("visits", object_id=house.pk, status="CANCELLED"),
        item("visits", object_id=house.pk, status="IN_PROGRESS", started_at="2026-01-01T09:00:00Z"),
    )
    assert statuses(results) == [
        "updated",
        "VALIDATION_ERROR",
        "VALIDATION_ERROR",
        "created",
        "created",
    ]
    assert [list(r["fields"]) for r in results[1:3]] == [["finished_at"], ["outcome_text"]]
    planned.refresh_from_db()
    assert planned.finished_at.isoformat() == "2026-01-01T09:20:00+00:00"


def test_a_visits_moves_in_a_chain(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    results = push(
        cast.api(cast.ivan),
        item("visits", visit.pk, 1, status="IN_PROGRESS"),
        item("visits", visit.pk, 1, status="DONE", outcome_text="Да"),
        item("visits", visit.pk, 1, status="PLANNED"),
    )
    assert statuses(results) == ["updated", "updated", "VALIDATION_ERROR"]


def test_fields_that_the_server_does_not_know_or_keeps_are_named(cast: Cast) -> None:
    house = cast.object()
    extra: dict[str, Any] = {
        "visits_count": 9,
        "colour": "red",
        "created_at": "2001-01-01T00:00:00Z",
        "id": "x",
        "version": 7,
    }
    sent = item("objects", house.pk, 1, status="DONE")
    sent["payload"].update(extra)
    [result] = push(cast.api(cast.ivan), sent)
    assert result["status"] == "updated"
    assert result["ignored_fields"] == sorted(extra)


MALFORMED: list[tuple[Any, str]] = [
    ([], "__all__"), ("x", "__all__"), ({}, "items"), ({"items": None}, "items"), ({"items": []}, "items"),
    ({"items": {}}, "items"), ({"items": [item("units")] * 1001}, "items"), ({"items": [5]}, "items.0"),
    ({"items": [[]]}, "items.0"), ({"items": [{"table_name": "units"}]}, "items.0.client_generated_id"),
    ({"items": [{**item("units"), "client_generated_id": 5}]}, "items.0.client_generated_id"),
    ({"items": [{**item("units"), "client_generated_id": "x"}]}, "items.0.client_generated_id"),
    ({"items": [item("units")], "strategy": "guess"}, "strategy"),
    ({"items": [item("units")], "strategy": []}, "strategy"),
    ({"items": [item("units")], "force": "yes"}, "force"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "field"), MALFORMED)
def test_a_malformed_batch_is_refused_as_a_whole(cast: Cast, body: Any, field: str) -> None:
    answer = cast.api(cast.ivan).post(URL, body)
    invalid(answer, field)


BAD_ITEMS: list[dict[str, Any]] = [
    {"table_name": "users"}, {"table_name": None}, {"table_name": {}}, {"action": "destroy"}, {"action": 5},
    {"payload": []}, {"payload": "x"}, {"version": "1"}, {"version": -1}, {"version": True}, {"version": 1.5},
    {"version": 10**30}, {"payload": {"object_id": {}}}, {"payload": {"unit_number": [[]]}},
    {"payload": {"attributes": {"a": [[[[{}]]]]}}}, {"updated_at": {"x": 1}},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_ITEMS, ids=str)
def test_a_bad_item_is_an_error_of_its_own(cast: Cast, bad: dict[str, Any]) -> None:
    good = item("units", object_id=cast.object().pk, unit_number="1")
    results = push(cast.api(cast.ivan), {**item("units"), **bad}, good)
    assert statuses(results) == ["VALIDATION_ERROR", "created"]
    assert RefusedItem.objects.count() == 1


def test_deep_json_is_no_defect(cast: Cast) -> None:
    house = cast.object()
    api = cast.api(cast.ivan)
    for depth in (20, 60, 200, 500, 1000, 5000):
        nested = "[" * depth + "]" * depth
        key = uuid4()
        raw = (
            f'{{"items":[{{"client_generated_id":"{key}","table_name":"units","payload":'
            f'{{"object_id":"{house.pk}","unit_number":"{depth}","attributes":{{"a":{nested}}}}}}}]}}'
        )
        answer = api.generic("POST", URL, raw.encode(), content_type="application/json")
        assert answer.status_code in {200, 400}, answer.content
        if answer.status_code == 200:
            assert statuses(answer.json()["results"]) == [
                "created" if depth < 30 else "VALIDATION_ERROR"
            ]


def test_eight_megabytes_are_the_limit(cast: Cast) -> None:
    raw = b'{"items": [' + b" " * (8 * 1024 * 1024) + b"]}"
    answer = cast.api(cast.ivan).generic("POST", URL, raw, content_type="application/json")
    refused(answer, 413, "PAYLOAD_TOO_LARGE")


def test_refused_items_are_kept_until_they_are_applied(cast: Cast) -> None:
    unit = cast.unit(cast.object())
    Unit.objects.filter(pk=unit.pk).update(floor=5)
    stale = item("units", unit.pk, 1, floor=7)
    api = cast.api(cast.ivan, **{"x-device-id": "phone-1"})
    for _time in range(2):
        push(api, stale)
        kept = RefusedItem.objects.get()
        assert (kept.device, kept.error_code, kept.status) == ("phone-1", "CONFLICT", "conflict")
        assert (kept.item, kept.record_id, kept.user_id) == (stale, unit.pk, cast.ivan.pk)
        assert (kept.city_id, kept.district_id) == (cast.moscow.pk, cast.centre.pk)
    push(api, stale, force=True)
    assert not RefusedItem.objects.exists()


def test_nobody_pushes_without_a_token(cast: Cast) -> None:
    refused(cast.api(None).post(URL, {"items": [item("units")]}), 401)


def test_times_that_a_visit_does_not_have_yet_are_ignored_by_name(cast: Cast) -> None:
    """The API refuses them; a phone that sends them must not become unsyncable."""
    api, house = cast.api(cast.ivan), cast.object()
    moment = "2026-01-01T08:00:00Z"
    planned = item("visits", object_id=house.pk, started_at=moment, finished_at=moment, oops=1)
    [made] = push(api, planned)
    assert (made["status"], made["ignored_fields"]) == (
        "created",
        ["finished_at", "oops", "started_at"],
    )
    key = planned["client_generated_id"]
    [same] = push(api, item("visits", key, 1, started_at=moment))
    assert (same["status"], same["server_version"]) == ("updated", 1)
    assert same["ignored_fields"] == ["started_at"]
    started = item("visits", key, 1, status="IN_PROGRESS", started_at=moment, finished_at=moment)
    for replayed in (False, True):
        [result] = push(api, started)
        assert (result["status"], result["replayed"]) == ("updated", replayed)
        assert result["ignored_fields"] == ["finished_at"]
    visit = Visit.objects.get(pk=key)
    assert (visit.started_at.isoformat(), visit.finished_at) == ("2026-01-01T08:00:00+00:00", None)
    done = item("visits", key, 2, status="DONE", outcome_text="Да", finished_at=moment)
    assert push(api, done)[0]["ignored_fields"] == []
    visit.refresh_from_db()
    assert visit.finished_at == visit.started_at
