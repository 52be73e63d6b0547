"""Every order of a batch's items that keeps the order on each record: the same database, the same answers."""

from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.batch import read_item
from sync.ordering import rounds
from tests.cast import Cast
from tests.sync.pushing import item, push, removal
from tests.sync.test_push_repeat import Customer, Object, Unit, Visit

pytestmark = pytest.mark.django_db


def uuid(n: int) -> UUID:
    return UUID(int=n << 64 | 7 << 76 | 2 << 62 | n)


def difficult_batch(cast: Cast) -> list[dict[str, Any]]:
    """Chains, clashes, dependencies, deletions and mistakes."""
    old, doomed = cast.object(), cast.object()
    old_unit = cast.unit(doomed)
    a, b = cast.customer(old, phone="+79980000001"), cast.customer(old, phone="+79980000002")
    return [
        item("objects", uuid(1), address="ул. Первая, д. 1", city_id=cast.moscow.pk),
        item("objects", uuid(1), 1, status="INTEREST"),
        item("units", uuid(11), object_id=uuid(1), unit_number="1"),
        item("units", uuid(12), object_id=uuid(1), unit_number="1"),
        item("units", uuid(11), 1, unit_number="2"),
        item("customers", uuid(21), object_id=uuid(1), unit_id=uuid(12), phone="+79980000003"),
        item("customers", uuid(22), object_id=uuid(1), unit_id=uuid(11), phone="+79980000003"),
        item("customers", a.pk, 1, phone="+79980000002"),
        item("customers", b.pk, 1, phone="+79980000004"),
        item("customers", b.pk, 1, notes="после"),
        item("customers", uuid(23), object_id=old.pk, phone="+79980000002"),
        item(
            "visits",
            uuid(31),
            object_id=uuid(1),
            customer_id=uuid(22),
            status="DONE",
            outcome_text="Да",
        ),
        item("visits", uuid(32), object_id=uuid(1), customer_id=uuid(21)),
        item("objects", uuid(2), address="ул"),
        item("visits", uuid(33), object_id=uuid(2)),
        item("objects", uuid(2), 1, status="DONE"),
        item("visits", uuid(34), object_id=doomed.pk),
        removal("units", old_unit.pk, 1),
        removal("objects", doomed.pk, 1),
        item("objects", doomed.pk, 1, status="DONE"),
        item("units", uuid(13), object_id=doomed.pk, unit_number="9"),
        removal("customers", uuid(99), 1),
    ]


def kept() -> list[Any]:
    """The database without what differs from run to run anyway."""
    return [
        [
            {
                k: v
                for k, v in row.items()
                if not k.endswith(("_at", "deletion_id", "feed_position", "engineer_id"))
            }
            | {"deleted": row["deleted_at"] is not None}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in (Object, Unit, Customer, Visit)
    ]


class Undone(Exception):
    """Takes the run back."""


def outcome(api: Any, items: list[dict[str, Any]]) -> Any:
    """The database and the answer by item; then nothing has happened."""
    found: list[Any] = []
    try:
        with transaction.atomic():
            results = push(api, *items)
            plain = [
                {
                    **r,
                    "diff": r["diff"]
                    and {
                        **r["diff"],
                        "server_data": {
                            k: v
                            for k, v in r["diff"]["server_data"].items()
                            if not k.endswith("_at")
                        },
                    },
                }
                for r in results
            ]
            found += [kept(), {id(i): r for i, r in zip(items, plain, strict=True)}]
            raise Undone
    except Undone:
        return found


def in_chains(items: list[dict[str, Any]], order: list[int]) -> list[dict[str, Any]]:
    """The items in a new order that keeps the order on each record."""
    chains: dict[Any, list[dict[str, Any]]] = {}
    for one in items:
        chains.setdefault((one["table_name"], one["client_generated_id"]), []).append(one)
    waiting = {key: iter(chain) for key, chain in chains.items()}
    keys = [(items[n]["table_name"], items[n]["client_generated_id"]) for n in order]
    return [next(waiting[key]) for key in keys]


@pytest.mark.parametrize("strategy", ["reject", "merge", "force"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_every_order_gives_the_same(cast: Cast, strategy: str, data: st.DataObject) -> None:
    with transaction.atomic():
        if not Object.objects.exists():
            cast.batch = difficult_batch(cast)  # type: ignore[attr-defined]
            cast.client = cast.api(cast.sergei)  # type: ignore[attr-defined]
    items, api = cast.batch, cast.client
    expected = outcome(api, items)
    assert {r["status"] for r in expected[1].values()} >= {"created", "updated", "deleted", "error"}
    shuffled = in_chains(items, data.draw(st.permutations(range(len(items)))))
    found = outcome(api, shuffled)
    assert found == expected


def test_rounds_are_a_function_of_the_items() -> None:
    """Pure: any interleaving gives the same rounds, and a record's items keep their order."""
    raw = [item("units", uuid(1), 1, floor=n) for n in range(3)] + [removal("units", uuid(1), 1)]
    raw += [
        item("units", uuid(1), 1, floor=9),
        item("objects", uuid(2)),
        removal("objects", uuid(2), 1),
    ]
    read = [
        read_item(one, one["client_generated_id"], UUID(one["client_generated_id"])) for one in raw
    ]
    told = [[(i.table, i.action, i.payload.get("floor")) for i in group] for group in rounds(read)]
    assert told == [
        [("objects", "upsert", None)],
        [("units", "upsert", 0)],
        [("units", "upsert", 1)],
        [("units", "upsert", 2)],
        [("units", "delete", None)],
        [("objects", "delete", None)],
        [("units", "upsert", 9)],
    ]
