"""Whatever comes in, the answer is one of the documented ones, and a good item beside it is applied."""

import math
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.kinds import KINDS
from sync.outcomes import Outcome
from sync.payloads import Payloads
from tests.cast import Cast
from tests.sync.pushing import URL, item, push, statuses

pytestmark = pytest.mark.django_db

NUMBERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
TEXTS = st.one_of(
    st.text(max_size=40).filter(lambda text: "\x00" not in text),
    st.sampled_from(
        [
            "",
            " ",
            "*",
            "+7 (***) ***-**67",
            "2026-01-01",
            "9999-12-31T23:59:59-12:00",
            "MKD",
            "DONE",
            "%s",
            "'",
        ]
    ),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
EXAMPLES = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def payloads(cast: Cast, ids: list[str]) -> Any:
    """Payloads of known fields with ids that exist, ids that do not, and anything else."""
    names = sorted({name for kind in KINDS.values() for name in Payloads(kind, cast.anna).writable})
    value = st.one_of(st.sampled_from(ids), st.uuids().map(str), ANYTHING)
    return st.dictionaries(st.one_of(st.sampled_from(names), TEXTS), value, max_size=6)


@pytest.mark.parametrize("name", ["anna", "ivan"])
@EXAMPLES
@given(data=st.data())
def test_no_item_is_a_defect(cast: Cast, name: str, data: st.DataObject) -> None:
    with transaction.atomic():
        house = cast.object()
        unit, customer = cast.unit(house), cast.customer(house)
        visit = cast.visit(house, cast.ivan, unit=unit, customer=customer)
        ids = [
            str(one.pk)
            for one in (house, unit, customer, visit, cast.moscow, cast.north, cast.ivan)
        ]
        items = data.draw(
            st.lists(
                st.fixed_dictionaries(
                    {"client_generated_id": st.sampled_from(ids)},
                    optional={
                        "table_name": st.one_of(st.sampled_from([*KINDS, *KINDS]), ANYTHING),
                        "action": st.one_of(st.sampled_from(["upsert", "delete"]), ANYTHING),
                        "payload": st.one_of(payloads(cast, ids), payloads(cast, ids), ANYTHING),
                        "version": st.one_of(st.sampled_from([1, 2, None]), ANYTHING),
                        "updated_at": ANYTHING,
                    },
                ),
                max_size=6,
            )
        )
        other = cast.object()
        good = item("units", object_id=other.pk, unit_number="хорошая")
        strategy = data.draw(st.sampled_from(["reject", "merge", "force"]))
        answer = cast.api(getattr(cast, name)).post(
            URL, {"items": [*items, good], "strategy": strategy}
        )
        assert answer.status_code in {200, 409}, answer.content.decode()
        results = answer.json()["results"]
        assert results[-1]["status"] == "created"
        assert not [r for r in results if r["error_code"] == "INTERNAL_ERROR"]
        transaction.set_rollback(True)


@EXAMPLES
@given(body=ANYTHING)
def test_no_body_is_a_defect(cast: Cast, body: Any) -> None:
    raw = orjson.dumps(body)
    answer = cast.api(cast.ivan).generic("POST", URL, raw, content_type="application/json")
    assert answer.status_code in {400, 422}, answer.content.decode()


def test_a_defect_of_ours_blocks_one_item_only(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log holds nothing of what was typed."""
    house = cast.object()
    from sync import judging

    real = judging.Judge.edit

    def broken(self: judging.Judge, *arguments: Any) -> Outcome | judging.Write:
        if arguments[0].values.get("contact_phone"):
            raise RuntimeError(arguments[0].values)
        return real(self, *arguments)

    monkeypatch.setattr(judging.Judge, "edit", broken)
    results = push(
        cast.api(cast.ivan),
        item("objects", house.pk, 1, contact_phone="+79161234567"),
        item("objects", house.pk, 1, contact_name="Анна"),
    )
    assert statuses(results) == ["INTERNAL_ERROR", "updated"]
    assert "an item of objects failed" in caplog.text
    assert "9161234567" not in caplog.text


def test_numbers_beyond_their_columns(cast: Cast) -> None:
    house = cast.object()
    customer = cast.customer(house)
    results = push(
        cast.api(cast.sergei),
        item("customers", customer.pk, 1, desired_price=1e300),
        item("customers", customer.pk, 1, provider_rating=2**63),
        item("objects", house.pk, 1, gps_lat=math.pi * 1e300, gps_lng=0),
        item("units", uuid4(), object_id=house.pk, unit_number="1", attributes={"a": 1e30}),
        item("units", uuid4(), object_id=house.pk, unit_number="2", attributes={"a": 0.1 + 0.2}),
    )
    assert statuses(results) == ["VALIDATION_ERROR"] * 4 + ["created"]
