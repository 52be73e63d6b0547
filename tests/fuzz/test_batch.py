"""sync/batch: any bytes, JSON that nearly is some, and every odd value in each field of each table.

What is refused as a whole writes nothing. What is taken must be legible afterwards, at every door.
"""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st

from sync.kinds import KINDS
from sync.outcomes import Status
from sync.payloads import Payloads
from tests.cast import Cast
from tests.fuzz.answers import content, in_time, nothing_written, sound
from tests.fuzz.effort import examples, some
from tests.fuzz.hostile import TOKENS
from tests.sync.pushing import URL

pytestmark = pytest.mark.django_db

KNOWN = {status.value for status in Status}
MEMBERS = ("client_generated_id", "table_name", "action", "payload", "version", "updated_at")


def pushed(cast: Cast, name: str, body: str | bytes) -> Any:
    """The answer to a push of these bytes by somebody of the cast."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    api = cast.api(getattr(cast, name))
    with in_time():
        return api.generic("POST", URL, raw, content_type="application/json")


def judged(answer: Any) -> list[dict[str, Any]]:
    """The results of a batch that was taken; none when it was refused. Fails on a defect."""
    body = json.loads(sound(answer, 200, 400, 409, 413, 422))
    results: list[dict[str, Any]] = body.get("results", [])
    assert {one["status"] for one in results} <= KNOWN
    assert [one for one in results if one["error_code"] == "INTERNAL_ERROR"] == []
    return results


def parts(cast: Cast) -> dict[str, Any]:
    """A record of each table that Ivan sees."""
    home = cast.object(gps_lat=55.7, gps_lng=37.6, tags=["a"], contact_phone="+79123456789")
    flat = cast.unit(home)
    customer = cast.customer(home, unit=flat)
    visit = cast.visit(home, cast.ivan, unit=flat, customer=customer)
    return {"objects": home, "units": flat, "customers": customer, "visits": visit}


def text_of(table: str, record_id: Any, payload: dict[str, str], version: str = "null") -> str:
    """An item as JSON text; the payload's values are texts of JSON themselves, sound or not."""
    fields = ",".join(f"{json.dumps(name)}:{token}" for name, token in payload.items())
    return (
        f'{{"client_generated_id":"{record_id}","table_name":"{table}",'
        f'"payload":{{{fields}}},"version":{version}}}'
    )


def legible(cast: Cast, table: str) -> None:
    """The table's list, its records and a preview of its report can still be read."""
    for user in (cast.anna, cast.ivan):
        api = cast.api(user)
        for query in ("", "?q=a&sort=-updated_at&cursor="):
            rows = json.loads(sound(api.get(f"/api/v1/{table}{query}"), 200))["items"]
        for row in rows[:5]:
            sound(api.get(f"/api/v1/{table}/{row['id']}"), 200)
    body = {"entity": table, "limit": 1000}
    sound(cast.api(cast.anna).post("/api/v1/reports/preview", body, format="json"), 200)


@pytest.mark.parametrize("name", ["ivan", "sergei"])
@pytest.mark.parametrize("table", KINDS)
def test_every_odd_value_in_every_field(cast: Cast, table: str, name: str) -> None:
    """A new record, and an edit of an old one, for each value in each field: all fields in one batch."""
    records = parts(cast)
    home = records["objects"]
    kind = KINDS[table]
    writable = list(Payloads(kind, cast.anna).writable)
    needed = {
        "objects": {"address": '"ул. Новая, д. 1"', "type": '"MKD"'},
        "units": {"object_id": f'"{home.pk}"', "unit_number": '"1"'},
        "customers": {"object_id": f'"{home.pk}"'},
        "visits": {"object_id": f'"{home.pk}"'},
    }[table]
    taken = 0
    for token in some(TOKENS, 25, table, name):
        items = []
        for number, field in enumerate([*writable, "unknown", "id", "created_at"]):
            own = {"unit_number": f'"n{number}"'} if table == "units" else {}
            items.append(text_of(table, uuid4(), {**needed, **own, field: token}))
            items.append(text_of(table, records[table].pk, {field: token}))
        body = f'{{"items":[{",".join(items)}],"strategy":"force"}}'
        with transaction.atomic():
            results = judged(pushed(cast, name, body))
            assert len(results) in {0, len(items)}
            taken += bool(results)
            if results:
                legible(cast, table)
            transaction.set_rollback(True)
    assert taken > 10


@pytest.mark.parametrize("member", [*MEMBERS, "items", "strategy", "force", "", "unknown"])
def test_every_odd_value_in_every_member(cast: Cast, member: str) -> None:
    home = parts(cast)["objects"]
    for token in some(TOKENS, 30, member):
        sound_item = {
            "client_generated_id": f'"{home.pk}"', "table_name": '"objects"', "action": '"upsert"',
            "payload": '{"status":"DONE"}', "version": "1", "updated_at": '"2026-01-01T00:00:00Z"',
        }  # fmt: skip
        batch = {"items": "[]", "strategy": '"merge"'}
        (sound_item if member in MEMBERS else batch)[member] = token
        fields = ",".join(f'"{name}":{value}' for name, value in sound_item.items())
        if member != "items":
            batch["items"] = f"[{{{fields}}}]"
        body = ",".join(f'"{name}":{value}' for name, value in batch.items())
        with transaction.atomic():
            judged(pushed(cast, "ivan", f"{{{body}}}"))
            transaction.set_rollback(True)


BODY = json.dumps(
    {
        "items": [
            {
                "client_generated_id": "0198c0de-0000-7000-8000-000000000001",
                "table_name": "objects",
                "action": "upsert",
                "payload": {"type": "MKD", "address": "ул. Ёлочная, д. 1", "gps_lat": 55.75},
                "version": 1,
            }
        ],
        "strategy": "reject",
    },
    ensure_ascii=False,
).encode()


@examples(60)
@given(st.binary(max_size=300))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"\xff\xfe{\x00}\x00")
@example(b"{" * 100_000)
@example(b'"' + b"\\" * 99_999)
@example(b"[" + b"1," * 500_000 + b"1]")
@example(b"9" * 1_000_000)
@example(b"-")
def test_any_bytes(cast: Cast, raw: bytes) -> None:
    with nothing_written():
        sound(pushed(cast, "ivan", raw), 400, 413, 422)


@examples(150)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(BODY)), st.integers(0, 12), st.binary(max_size=6)), max_size=4
    ),
    token=st.sampled_from(TOKENS),
    at=st.integers(0, 7),
)
def test_json_that_nearly_is_some(
    cast: Cast, edits: list[tuple[int, int, bytes]], token: str, at: int
) -> None:
    raw = BODY
    for where, cut, put in edits:
        raw = raw[:where] + put + raw[where + cut :]
    # After a colon belongs a value.
    before, colon, after = raw.rpartition(b":") if at == 0 else raw.partition(b":" * min(at, 1))
    if at < 4:
        raw = before + colon + token.encode("utf-8", "surrogatepass") + after
    with transaction.atomic():
        answer = pushed(cast, "ivan", raw)
        if not judged(answer):
            assert answer.status_code in {400, 413, 422}
        transaction.set_rollback(True)


def test_what_is_named_twice_counts_once(cast: Cast) -> None:
    home = cast.object()
    body = (
        f'{{"items":[{{"client_generated_id":"{uuid4()}","client_generated_id":"{home.pk}",'
        '"table_name":"units","table_name":"objects","payload":{"status":"NEW","status":"DONE"},'
        '"version":7,"version":1}],"items":[],"strategy":"force"}'
    )
    with nothing_written():
        sound(pushed(cast, "ivan", body), 422)
    (result,) = judged(pushed(cast, "ivan", body.replace('"items":[],', "")))
    assert (result["server_id"], result["status"]) == (str(home.pk), "updated")
    home.refresh_from_db()
    assert home.status == "DONE"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json; charset=rot13", "application/xml", "", "multipart/form-data", "x" * 5000]
)  # fmt: skip
def test_any_content_type(cast: Cast, kind: str) -> None:
    with nothing_written():
        answer = cast.api(cast.ivan).generic("POST", URL, b'{"items":[]}', content_type=kind)
        sound(answer, 400, 415, 422)
    assert content(answer)


@pytest.mark.parametrize("device", ["", "\x00", "ё", "x" * 9000, "\r\n", "' OR 1=1"])
def test_any_device(cast: Cast, device: str) -> None:
    api = cast.api(cast.ivan)
    body = f'{{"items":[{text_of("objects", uuid4(), {"city_id": "7"})}]}}'
    answer = api.generic(
        "POST", URL, body, content_type="application/json", HTTP_X_DEVICE_ID=device
    )
    assert judged(answer)[0]["status"] == "error"
