"""Pushes of 1,000 items: new records, edits, and the same batch again.

Raw writes the same rows (through the same triggers and constraints) with an entry of the trail and a receipt
for each, in one transaction of four statements: COPY for new rows, UPDATE … FROM unnest() for edits. It
checks nothing, asks nobody, and its entries and receipts are made ready before the clock runs.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from random import Random
from typing import Any
from uuid import uuid4

import orjson

from tests.benchmarks import bare
from tests.benchmarks.ground import Ground
from tests.benchmarks.work import Way, Work, over_http, request

ITEMS = 1000
# Codes that neither operators nor the demo's houses have.
PHONE_CODE = "+7980"
Rows = dict[str, list[dict[str, Any]]]
TABLES = {
    "objects": "objects_object",
    "units": "objects_unit",
    "customers": "clients_customer",
    "visits": "visits_visit",
}
ENTRY = ("id", "action", "entity_type", "entity_id", "version", "city_id", "actor_id", "actor_name",
         "before_json", "after_json", "request_id", "occurred_at")  # fmt: skip


def works(ground: Ground) -> list[Work]:
    """The rows of this kind."""
    made = Drawn(ground)
    again = pushed(ground, made.mixed())
    return [
        Work(
            "push, 1,000 new customers",
            over_http(lambda: pushed(ground, made.customers())),
            raw=made.raw(made.customers),
            per=ITEMS,
            tell=insist("created"),
        ),
        Work(
            "push, 1,000 new records of four kinds",
            over_http(lambda: pushed(ground, made.mixed())),
            raw=made.raw(made.mixed),
            per=ITEMS,
            tell=insist("created"),
        ),
        Work(
            "push, 1,000 edits of objects",
            over_http(made.edits("objects")),
            raw=made.raw_edits("objects"),
            per=ITEMS,
            tell=insist("updated"),
        ),
        Work(
            "push, 1,000 edits of customers",
            over_http(made.edits("customers")),
            raw=made.raw_edits("customers"),
            per=ITEMS,
            tell=insist("updated"),
        ),
        Work(
            "push, the same 1,000 new records again",
            over_http(lambda: again),
            per=ITEMS,
            tell=insist("created"),
        ),
    ]


def pushed(ground: Ground, rows: Rows) -> bytes:
    """A push of new records."""
    items = [
        {
            "client_generated_id": row["id"],
            "table_name": table,
            "payload": {name: value for name, value in row.items() if name != "id"},
        }
        for table, several in rows.items()
        for row in several
    ]
    return batch(ground, items)


def batch(ground: Ground, items: list[dict[str, Any]]) -> bytes:
    """The request that pushes them."""
    token = ground.tokens["supervisor"]
    return request("POST", "/api/v1/sync/batch", token=token, body={"items": items})


def insist(status: str) -> Callable[[bytes], None]:
    """Every item must have ended so."""

    def check(body: bytes) -> None:
        others = [one for one in orjson.loads(body)["results"] if one["status"] != status]
        if others:
            raise SystemExit(f"a pushed item was not {status}: {others[0]}")

    return check


class Drawn:
    """Draws rows and edits: always other ones, all in the supervisor's sight."""

    def __init__(self, ground: Ground) -> None:
        from clients.models import Customer
        from objects.models import Object

        self.ground = ground
        self.random = Random(1)
        self.phones = self.new_phones()
        self.supervisor = ground.people["supervisor"]
        self.models: dict[str, Any] = {"objects": Object, "customers": Customer}
        self.ids = {name: self.some_ids(model) for name, model in self.models.items()}
        self.places = cycle(self.ids["objects"])
        self.turns = {name: cycle(range(len(ids) // ITEMS)) for name, ids in self.ids.items()}

    def some_ids(self, model: Any) -> list[str]:
        """Records of the supervisor, up to ten batches, from all over the table."""
        seen = model.objects.visible_to(self.supervisor).order_by("pk").values_list("pk", flat=True)
        ids = [str(pk) for pk in seen]
        self.random.shuffle(ids)
        if len(ids) < ITEMS:
            raise SystemExit("There are too few records; take a bigger SIZE.")
        return ids[: 10 * ITEMS]

    def new_phones(self) -> Iterator[str]:
        """Numbers that nobody has, in another range for each run."""
        start = self.random.randrange(0, 1) + int(datetime.now(UTC).timestamp()) % 4000 * 2000
        for number in cycle(range(start, 9_999_999)):
            yield f"{PHONE_CODE}{number:07}"

    # --- new records ---

    def customer(self, place: str, unit: str | None = None) -> dict[str, Any]:
        """A new customer."""
        return {
            "id": str(uuid4()), "object_id": place, **({"unit_id": unit} if unit else {}),
            "full_name": f"Иванова Мария {self.random.randrange(10_000)}", "phone": next(self.phones),
            "current_provider": "Ростелеком", "provider_rating": self.random.randrange(1, 6),
            "interests": ["INTERNET", "TV"], "notes": "Просила перезвонить после отпуска.",
            "gdpr_consent": True,
        }  # fmt: skip

    def customers(self) -> Rows:
        """New customers of many objects."""
        return {"customers": [self.customer(next(self.places)) for _ in range(ITEMS)]}

    def mixed(self) -> Rows:
        """New houses, each with a flat, somebody who lives there, and a visit."""
        rows: Rows = {table: [] for table in TABLES}
        for _ in range(ITEMS // len(TABLES)):
            place, unit = str(uuid4()), str(uuid4())
            house = self.random.randrange(1, 300)
            rows["objects"].append(
                {
                    "id": place, "type": "MKD", "address": f"ул. Полевая, д. {house}",
                    "city_id": str(self.supervisor.city_id), "status": "NEW",
                    "gps_lat": 55 + self.random.random(), "gps_lng": 37 + self.random.random(),
                    "tags": ["новый"],
                }
            )  # fmt: skip
            rows["units"].append(
                {"id": unit, "object_id": place, "unit_number": str(house), "floor": 3}
            )
            customer = self.customer(place, unit)
            rows["customers"].append(customer)
            rows["visits"].append(
                {
                    "id": str(uuid4()), "object_id": place, "unit_id": unit,
                    "customer_id": customer["id"], "engineer_id": str(self.ground.people["engineer"].pk),
                    "scheduled_at": "2031-05-06T10:00:00Z", "status": "PLANNED", "interests": ["TV"],
                }
            )  # fmt: skip
        return rows

    def raw(self, draw: Callable[[], Rows]) -> Way | None:
        """The same by SQL alone."""
        if self.ground.engine != "postgresql":
            return None

        def prepare() -> Any:
            rows = {table: self.whole(table, several) for table, several in draw().items()}
            everyone = [(t, row) for t, several in rows.items() for row in several]
            entries = [self.entry("create", t, row, None, row) for t, row in everyone]
            return rows, entries, self.receipts(len(everyone))

        return Way(call=lambda made: write_new(*made), prepare=prepare)

    def whole(self, table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows with what the product would add to them."""
        more: dict[str, dict[str, Any]] = {
            "objects": {"created_by_id": str(self.supervisor.pk), "updated_by_id": str(self.supervisor.pk)},
            "units": {"attributes": {}},
        }  # fmt: skip
        return [{**row, **more.get(table, {})} for row in rows]

    # --- edits ---

    def edits(self, table: str) -> Callable[[], bytes]:
        """Pushes of edits, each based on the record's version of that moment."""

        def ask() -> bytes:
            ids = self.next_ids(table)
            versions = dict(
                self.models[table].objects.filter(pk__in=ids).values_list("pk", "version")
            )
            return batch(
                self.ground,
                [
                    {
                        "client_generated_id": str(pk),
                        "table_name": table,
                        "payload": self.edit(table),
                        "version": version,
                    }
                    for pk, version in versions.items()
                ],
            )

        return ask

    def next_ids(self, table: str) -> list[str]:
        """The records whose turn it is."""
        start = next(self.turns[table]) * ITEMS
        return self.ids[table][start : start + ITEMS]

    def edit(self, table: str) -> dict[str, Any]:
        """New values of two fields."""
        number = self.random.randrange(1_000_000)
        if table == "objects":
            return {"contact_name": f"Петрова {number}", "status": ("NEW", "INTEREST")[number % 2]}
        return {"notes": f"Перезвонить {number}", "satisfied": bool(number % 2)}

    def raw_edits(self, table: str) -> Way | None:
        """The same by SQL alone."""
        if self.ground.engine != "postgresql":
            return None

        def prepare() -> Any:
            ids = self.next_ids(table)
            edits = [self.edit(table) for _ in ids]
            # As long as the product's.
            model = self.models[table]
            columns = [f.attname for f in model._meta.concrete_fields]
            hidden = {"field_versions", "feed_position", "search_text"}
            told = {
                str(row["id"]): {k: v for k, v in row.items() if k not in hidden}
                for row in model.objects.filter(pk__in=ids).values(*columns)
            }
            entries = [
                self.entry("update", table, {"id": pk}, told[pk], told[pk] | edit)
                for pk, edit in zip(ids, edits, strict=True)
            ]
            return table, ids, edits, entries, self.receipts(len(ids))

        return Way(call=lambda made: write_edits(*made), prepare=prepare)

    # --- what is written along ---

    def entry(self, action: str, table: str, row: Any, before: Any, after: Any) -> tuple[Any, ...]:
        """An entry of the trail."""
        text = partial(json.dumps, ensure_ascii=False, default=str)
        return (
            str(uuid4()), action, table.removesuffix("s"), row["id"], 1, str(self.supervisor.city_id),
            str(self.supervisor.pk), self.supervisor.full_name, text(before) if before else None,
            text(after), "raw", datetime.now(UTC),
        )  # fmt: skip

    def receipts(self, count: int) -> list[tuple[Any, ...]]:
        """Receipts of so many items."""
        outcome = json.dumps(
            {"status": "created", "server_version": 1, "written": 1, "ignored": []}
        )
        now = datetime.now(UTC)
        return [(str(self.supervisor.pk), uuid4().hex * 2, outcome, now) for _ in range(count)]


def write_new(rows: Rows, entries: list[Any], receipts: list[Any]) -> None:
    """New rows, entries and receipts, in one transaction."""
    connection = bare.connection()
    with connection.transaction():
        for table, several in rows.items():
            columns = list(several[0])
            # A column has a default in Python, not in the database.
            values = [
                [
                    json.dumps(v) if isinstance(v, list | dict) else v
                    for v in (row[c] for c in columns)
                ]
                for row in several
            ]
            copied(TABLES[table], [*columns, *MORE.get(table, {})], [
                [*row, *MORE.get(table, {}).values()] for row in values
            ])  # fmt: skip
        copied("audit_auditentry", ENTRY, entries)
        copied("sync_receipt", ("user_id", "fingerprint", "outcome", "created_at"), receipts)


# Columns whose default Django keeps to itself.
MORE: dict[str, dict[str, Any]] = {}


def write_edits(
    table: str, ids: list[str], edits: list[Any], entries: list[Any], receipts: list[Any]
) -> None:
    """Edits, entries and receipts, in one transaction."""
    names = list(edits[0])
    types = {"satisfied": "boolean"}
    arrays = ", ".join(f"%s::{types.get(name, 'text')}[]" for name in names)
    sets = ", ".join(f'"{name}" = d."{name}"' for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    connection = bare.connection()
    with connection.transaction():
        connection.execute(
            f"SELECT id, version FROM {TABLES[table]} WHERE id = ANY(%s::uuid[])"
            " ORDER BY id FOR NO KEY UPDATE",
            [ids],
        ).fetchall()
        connection.execute(
            f"UPDATE {TABLES[table]} t SET {sets}"
            f" FROM unnest(%s::uuid[], {arrays}) d(id, {listed}) WHERE t.id = d.id",
            [ids, *([edit[name] for edit in edits] for name in names)],
        )
        copied("audit_auditentry", ENTRY, entries)
        copied("sync_receipt", ("user_id", "fingerprint", "outcome", "created_at"), receipts)


def copied(table: str, columns: Any, rows: Any) -> None:
    """COPY rows into a table."""
    names = ", ".join(f'"{column}"' for column in columns)
    with (
        bare.connection().cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
