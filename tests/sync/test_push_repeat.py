"""A push counts once: answers that are lost, copies that run at the same moment."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from clients.models import Customer
from crm import changes
from crm.changes import Change
from objects.models import Object, Unit
from sync.receipts import Receipt
from tests.cast import Cast
from tests.concurrency import run_together
from tests.sync.pushing import item, push, statuses
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reported() -> Iterator[list[Change]]:
    """Every change that is reported, committed or not: no copy may report what it then takes back."""
    told: list[Change] = []

    def hear(news: Any) -> None:
        told.extend(news)

    changes.listen(hear)
    yield told
    changes._listeners.remove(hear)


def some_work(cast: Cast) -> list[dict[str, Any]]:
    """Two new objects with what hangs on them, and edits of what was there."""
    old = cast.object()
    unit, customer = cast.unit(old), cast.customer(old)
    items = [
        item("units", unit.pk, 1, floor=1),
        item("units", unit.pk, 1, floor=2),
        item("customers", customer.pk, 1, notes="да"),
    ]
    for n in range(2):
        house = item("objects", address=f"ул. Ёлочная, д. {n + 1}")
        key = house["client_generated_id"]
        items += [
            item("visits", object_id=key, status="DONE", outcome_text="Да"),
            item("customers", object_id=key, phone=f"+799800000{n:02d}"),
            house,
        ]
    return items


def state() -> list[Any]:
    """Everything that a second effect would change."""
    return [
        list(
            model._base_manager.order_by("pk").values(
                "pk", "version", "field_versions", "updated_at"
            )
        )
        for model in (Object, Unit, Customer, Visit)
    ]


def test_every_second_answer_is_lost(cast: Cast, reported: list[Change]) -> None:
    """The phone sends its whole queue again each time, with more in it."""
    api = cast.api(cast.ivan)
    items = some_work(cast)
    queue: list[dict[str, Any]] = []
    first_answers: dict[int, dict[str, Any]] = {}
    for one in [*reversed(items[2:]), *items[:2]]:
        queue.append(one)
        lost = push(api, *queue)
        before = state()
        again = push(api, *queue)
        assert state() == before
        for sent, was, result in zip(queue, lost, again, strict=True):
            if was["error_code"] is None:
                assert result == {**was, "replayed": True}
                kept = first_answers.setdefault(id(sent), {**was, "replayed": True})
                assert kept == result
    assert statuses(push(api, *items)) == ["updated", "updated", "updated", *["created"] * 6]
    created = [c.entity_id for c in reported if c.action == "create"]
    assert len(created) == len(set(created)) == 6
    assert len([c for c in reported if c.action == "update"]) == 3
    assert Receipt.objects.count() == len(items)


def test_the_same_batch_in_threads_at_once(cast: Cast, reported: list[Change]) -> None:
    items = some_work(cast)
    apis = [cast.api(cast.ivan) for _copy in range(4)]
    answers = run_together(*(lambda api=api: push(api, *items) for api in apis))
    assert not [a for a in answers if isinstance(a, BaseException)], answers
    plain = [[{**r, "replayed": None} for r in a] for a in answers]
    assert plain[0] == plain[1] == plain[2] == plain[3]
    assert sorted(all(r["replayed"] for r in a) for a in answers) == [False, True, True, True]
    assert Receipt.objects.count() == len(items)
    assert len(reported) == len(items)
    assert sorted(Unit.objects.values_list("version", flat=True)) == [3]


def test_copies_that_overlap(cast: Cast, reported: list[Change]) -> None:
    """A phone that restarted its push in the middle, with one edit more and in another order."""
    items = some_work(cast)
    more = item("objects", items[-1]["client_generated_id"], 1, status="DONE")
    apis = [cast.api(cast.ivan) for _copy in range(2)]
    answers = run_together(
        lambda: push(apis[0], *items), lambda: push(apis[1], *reversed(items[3:]), *items[:3], more)
    )
    assert not [a for a in answers if isinstance(a, BaseException)], answers
    assert {r["error_code"] for a in answers for r in a} == {None}
    assert len(reported) == len(items) + 1
    assert Object.objects.get(pk=more["client_generated_id"]).status == "DONE"


def test_two_people_bring_the_same_id(cast: Cast) -> None:
    """Never in practice; one creates the record, the other meets it."""
    house = cast.object()
    one = item("units", object_id=house.pk, unit_number="1")
    apis = [cast.api(cast.ivan), cast.api(cast.sergei)]
    answers = run_together(*(lambda api=api: push(api, one) for api in apis))
    assert sorted(statuses(answers[0] + answers[1])) == ["created", "updated"]
    assert Unit.objects.get().version == 1


def test_the_same_phone_from_two_sides(cast: Cast) -> None:
    """A unique value that appears between look and write fails that one item."""
    house, other = cast.object(), cast.object(district=cast.north)
    mine = [item("customers", object_id=house.pk, phone=f"+799811100{n:02d}") for n in range(20)]
    theirs = [
        item("customers", object_id=other.pk, phone=f"+799811100{n:02d}")
        for n in reversed(range(10, 30))
    ]
    apis = [cast.api(cast.ivan), cast.api(cast.pyotr)]
    answers = run_together(lambda: push(apis[0], *mine), lambda: push(apis[1], *theirs))
    found = statuses(answers[0] + answers[1])
    assert sorted(set(found)) == ["DUPLICATE", "created"]
    assert found.count("created") == Customer.objects.count() == 30


def test_a_phone_that_the_api_takes_in_between(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bisecting: the database refuses one row of many, the others are written."""
    from sync import unique_values

    house = cast.object()
    taken = cast.customer(house, phone="+79981110005")
    monkeypatch.setattr(unique_values.UniqueValues, "fetch", lambda *_: None)
    mine = [item("customers", object_id=house.pk, phone=f"+799811100{n:02d}") for n in range(20)]
    results = push(cast.api(cast.ivan), *mine)
    assert statuses(results) == ["created"] * 5 + ["DUPLICATE"] + ["created"] * 14
    assert results[5]["existing_id"] == str(taken.pk)
    assert Customer.objects.count() == 20


def test_the_same_item_twice_in_one_batch(cast: Cast) -> None:
    one = item("units", object_id=cast.object().pk, unit_number="1")
    first, second = push(cast.api(cast.ivan), one, one)
    assert (first["status"], first["replayed"]) == ("created", False)
    assert second == {**first, "replayed": True}
    assert Unit.objects.count() == 1


def test_receipts_are_each_persons_own(cast: Cast) -> None:
    unit = cast.unit(cast.object())
    one = item("units", unit.pk, 1, floor=4)
    assert statuses(push(cast.api(cast.ivan), one)) == ["updated"]
    [other] = push(cast.api(cast.sergei), one)
    assert (other["status"], other["replayed"], other["server_version"]) == ("updated", False, 2)


def test_a_rolled_back_push_leaves_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from sync import push as pushing

    def fail(*_: Any) -> None:
        raise RuntimeError

    items = some_work(cast)
    before = state()
    monkeypatch.setattr(pushing, "keep_receipts", fail)
    answer = cast.api(cast.ivan).post("/api/v1/sync/batch", {"items": items})
    assert answer.status_code == 500
    assert state() == before
    assert not connection.in_atomic_block


def test_the_unique_index_decides(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a copy that looked for receipts too early, and held no name, has no second effect."""
    from sync import push as pushing

    items = some_work(cast)
    api = cast.api(cast.ivan)
    push(api, *items)
    before = state()
    looked: list[int] = []
    real = pushing.receipts_of

    def late(*arguments: Any) -> dict[str, Any]:
        looked.append(1)
        return {} if len(looked) == 1 else real(*arguments)

    monkeypatch.setattr(pushing, "receipts_of", late)
    results = push(api, *items)
    assert len(looked) == 2
    assert all(r["replayed"] for r in results)
    assert state() == before
