"""The change feed: pages of a first sync, and the question of a phone that has everything.

Raw is a COPY of row_to_json of the same rows, table by table: no order among the tables, no sight, no masks,
no envelope around a row, moments as the database writes them.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from tests.benchmarks import bare
from tests.benchmarks.client import Connection
from tests.benchmarks.ground import Ground
from tests.benchmarks.work import Way, Work, always, by_hand, over_http, request

LONGEST = 10_000


def works(ground: Ground) -> list[Work]:
    """The rows of this kind."""
    found = [
        page(ground, "admin", f"limit={LONGEST}", "feed, first page of 10,000, administrator"),
        page(
            ground,
            "admin",
            f"limit={LONGEST}&tables=objects",
            "feed, 10,000 objects, administrator",
        ),
        page(ground, "supervisor", f"limit={LONGEST}", "feed, first page of 10,000, supervisor"),
        page(ground, "supervisor", "limit=1000", "feed, first page of 1,000, supervisor"),
        page(ground, "engineer", "limit=1000", "feed, first page of 1,000, engineer"),
    ]
    return [*found, *(idle(ground, who) for who in ("supervisor", "engineer"))]


def page(ground: Ground, who: str, query: str, name: str) -> Work:
    """One page from the beginning."""
    made = request("GET", f"/api/v1/sync/changes?{query}", token=ground.tokens[who])
    items = asked(ground, made)["items"]
    counts = Counter(item["table_name"] for item in items)
    first: dict[str, str] = {}
    for item in items:
        first.setdefault(item["table_name"], item["id"])
    raw = by_hand(copying(counts, first)) if ground.engine == "postgresql" else None
    return Work(name, over_http(always(made)), raw=raw, per=max(1, len(items)))


class Idle:
    """A phone that has everything, and asks again. Between rounds it catches up with what others wrote."""

    def __init__(self, ground: Ground, who: str) -> None:
        self.ground, self.who, self.cursor = ground, who, ""

    def ask(self) -> bytes:
        """The next pull."""
        path = f"/api/v1/sync/changes?cursor={self.cursor}"
        return request("GET", path, token=self.ground.tokens[self.who])

    def catch_up(self) -> None:
        """Take the cursor that a pull of everything would end with: of a million records in no time."""
        from django.db import connection

        from crm.db.positions import horizon_sql
        from sync.cursors import Cursor, scope_of
        from sync.entities import ENTITIES
        from sync.epoch import current_epoch

        with connection.cursor() as asking:
            asking.execute(f"SELECT {horizon_sql(connection)}")
            horizon = int(asking.fetchone()[0])
        user, tables = self.ground.people[self.who], tuple(entity.name for entity in ENTITIES)
        epoch, scope = current_epoch().name, scope_of(user)
        at = Cursor(epoch, user.pk, scope, tables, position=horizon - 1, start=horizon)
        self.cursor = at.encoded()


def idle(ground: Ground, who: str) -> Work:
    """Nothing has changed since the cursor."""
    phone = Idle(ground, who)
    return Work(f"feed, nothing new, {who}", Way(ask=phone.ask, begin=phone.catch_up))


def asked(ground: Ground, made: bytes) -> Any:
    """The answer to a request, which must succeed."""
    connection = Connection(ground.port)
    status, body = connection.ask(made)
    connection.close()
    if status != 200:
        raise SystemExit(f"the feed answers {status}: {body[:500]!r}")
    return orjson.loads(body)


def copying(counts: Counter[str], first: dict[str, str]) -> Callable[[], object]:
    """The same number of rows of each table, from the same row on, in the feed's order."""
    from sync.entities import BY_NAME

    statements = []
    for table, count in counts.items():
        entity = BY_NAME[table]
        columns = ", ".join(f'r."{entity.column(field)}"' for field in entity.fields.values())
        begin = f"(SELECT feed_position, id FROM {entity.table} WHERE id = '{first[table]}')"
        statements.append(
            f"COPY (SELECT row_to_json(d) FROM (SELECT {columns} FROM {entity.table} r"
            f" WHERE (r.feed_position, r.id) >= {begin}"
            f" ORDER BY r.feed_position, r.id LIMIT {count}) d) TO STDOUT"
        )

    def read() -> int:
        size = 0
        for statement in statements:
            with bare.connection().cursor() as cursor, cursor.copy(statement) as copy:
                for block in copy:
                    size += len(block)
        return size

    return read
