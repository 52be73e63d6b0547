"""A big push costs a bounded number of statements, and its time grows with its items only."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.sync.pushing import item, push, removal, statuses

pytestmark = pytest.mark.django_db


def mixed(cast: Cast, count: int) -> list[dict[str, Any]]:
    """`count` items of each kind: objects with a unit, a customer and a visit each."""
    items = []
    for n in range(count):
        house = item("objects", address=f"ул. Ёлочная, д. {n + 1}")
        key = house["client_generated_id"]
        flat = item("units", object_id=key, unit_number="1", floor=n % 9)
        person = item(
            "customers", object_id=key, unit_id=flat["client_generated_id"], phone=f"+7998{n:07d}"
        )
        visit = item("visits", object_id=key, customer_id=person["client_generated_id"])
        items += [visit, person, flat, house]
    return items


def edits_of(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An edit of each record that the items created."""
    changed: dict[str, dict[str, Any]] = {
        "objects": {"status": "INTEREST"}, "units": {"entrance": 2}, "customers": {"notes": "перезвонить"},
        "visits": {"status": "IN_PROGRESS"},
    }  # fmt: skip
    return [
        item(i["table_name"], i["client_generated_id"], 1, **changed[i["table_name"]])
        for i in items
    ]


def queries(api: Any, items: list[dict[str, Any]], expected: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        results = push(api, *items)
    assert set(statuses(results)) == {expected}
    # Django's log has one entry for each execution; many rows handed to one prepared statement are one.
    return len(captured.captured_queries)


# Executed statements of 1,000 items, sessions and savepoints included.
MOST = {
    "created": 37, "updated": 38, "conflict": 34, "replayed": 5, "deleted": 41, "DUPLICATE": 14,
}  # fmt: skip


def test_a_bounded_number_of_statements(cast: Cast, engine: str) -> None:
    api = cast.api(cast.sergei)
    items = [
        {
            **i,
            "payload": {
                **i["payload"],
                **({"city_id": str(cast.moscow.pk)} if i["table_name"] == "objects" else {}),
            },
        }
        for i in mixed(cast, 250)
    ]
    few = queries(api, mixed_in(cast, 2), "created")
    found = {
        "created": queries(api, items, "created"),
        "replayed": queries(api, items, "created"),
        "updated": queries(api, edits_of(items), "updated"),
        "conflict": queries(
            api,
            [
                {**e, "payload": {k: None if k != "status" else "DONE" for k in e["payload"]}}
                for e in edits_of(items)
            ],
            "conflict",
        ),
    }
    copies = [
        item("customers", object_id=i["payload"]["object_id"], phone=i["payload"]["phone"])
        for i in items
        if i["table_name"] == "customers"
    ]
    found["DUPLICATE"] = queries(api, copies, "DUPLICATE")
    found["deleted"] = queries(
        api, [removal(i["table_name"], i["client_generated_id"], 2) for i in items], "deleted"
    )
    assert found["created"] <= few + 10
    assert {name: count for name, count in found.items() if count > MOST[name]} == {}


def mixed_in(cast: Cast, count: int) -> list[dict[str, Any]]:
    """As `mixed`, in Moscow, with phones of its own."""
    items = mixed(cast, count)
    for one in items:
        if one["table_name"] == "objects":
            one["payload"]["city_id"] = str(cast.moscow.pk)
        if one["table_name"] == "customers":
            one["payload"]["phone"] = one["payload"]["phone"].replace("+7998", "+7997")
    return items
