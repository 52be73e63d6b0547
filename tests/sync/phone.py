"""A minimal phone: it keeps what the feed gives by the client's rules, and nothing else."""

import json
from dataclasses import dataclass, field
from typing import Any

from sync.entities import TABLES
from tests.cast import Cast

PATIENCE = 10_000
Key = tuple[str, str]


@dataclass
class Phone:
    """One person's copy. `api` is a client that talks as that person.

    rows: (table, id) → (version, data). told: every item in the order it came, across pulls and resyncs.
    """

    api: Any
    tables: tuple[str, ...] = TABLES
    limit: int = 1000
    cursor: str = ""
    rows: dict[Key, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    resyncs: list[str] = field(default_factory=list)
    bytes_seen: bytes = b""

    @classmethod
    def of(cls, cast: Cast, user: Any, **settings: Any) -> "Phone":
        """That person's new phone."""
        return cls(cast.api(user), **settings)

    def pull_page(self) -> dict[str, Any]:
        """One request; the page is applied with its cursor, or not at all."""
        query = {"cursor": self.cursor, "limit": str(self.limit)}
        if self.tables != TABLES:
            query["tables"] = ",".join(self.tables)
        answer = self.api.get("/api/v1/sync/changes", query)
        body = answer.getvalue()
        self.bytes_seen += body
        page: dict[str, Any] = json.loads(body)
        if answer.status_code == 410:
            self.resyncs.append(page["error"]["details"]["reason"])
            self.start_over()
            return {"items": [], "has_more": True}
        assert answer.status_code == 200, page
        assert len(page["items"]) <= self.limit
        for item in page["items"]:
            self.apply(item)
        self.cursor = page["next_cursor"]
        return page

    def pull(self) -> list[dict[str, Any]]:
        """Pages until there is no more; what they told."""
        before = len(self.told)
        for _ in range(PATIENCE):
            if not self.pull_page()["has_more"]:
                return self.told[before:]
        raise AssertionError("the feed does not end")

    def start_over(self) -> None:
        """Forget the copy (a real phone keeps its unsent edits)."""
        self.cursor = ""
        self.rows.clear()

    def apply(self, item: dict[str, Any]) -> None:
        """The client's rules: upsert, or forget; ignore what is older than what is held."""
        self.told.append(item)
        key = (item["table_name"], item["id"])
        held = self.rows.get(key)
        if item["action"] == "delete":
            assert item["data"] is None
            assert item["reason"] in ("deleted", "out_of_scope")
            self.rows.pop(key, None)
            return
        assert item["reason"] is None
        assert item["action"] == ("create" if item["version"] == 1 else "update")
        if held is None or held[0] <= item["version"]:
            self.rows[key] = (item["version"], item["data"])

    def keys(self, table: str) -> set[str]:
        """The ids held of a table."""
        return {id_ for name, id_ in self.rows if name == table}

    def versions(self) -> dict[Key, int]:
        """(table, id) → version of everything held."""
        return {key: version for key, (version, _data) in self.rows.items()}


def told(items: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """(table, id, what) of items: `upsert`, or the reason of a deletion."""
    return {(item["table_name"], item["id"], item["reason"] or "upsert") for item in items}
