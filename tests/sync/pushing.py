"""How the tests push: short ways to write items and to look at results."""

from typing import Any
from uuid import UUID, uuid4

URL = "/api/v1/sync/batch"


def item(
    table: str, record_id: Any = None, version: int | None = None, **payload: Any
) -> dict[str, Any]:
    """An upsert of one record, a new one unless told otherwise."""
    return {
        "client_generated_id": str(record_id or uuid4()),
        "table_name": table,
        "action": "upsert",
        "payload": {k: str(v) if isinstance(v, UUID) else v for k, v in payload.items()},
        "version": version,
        "updated_at": "2026-01-01T00:00:00Z",
    }


def removal(table: str, record_id: Any, version: int | None = None) -> dict[str, Any]:
    """A deletion of one record."""
    return {**item(table, record_id, version), "action": "delete"}


def push(api: Any, *items: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """The results of a batch, after checking what every answer promises."""
    answer = api.post(URL, {"items": list(items), **options})
    assert answer.status_code in {200, 409}, answer.content.decode()
    body = answer.json()
    results: list[dict[str, Any]] = body["results"]
    assert [r["client_generated_id"] for r in results] == [i["client_generated_id"] for i in items]
    conflicts = [r for r in results if r["status"] == "conflict"]
    assert body["conflicts_count"] == len(conflicts)
    assert body["errors_count"] == sum(r["status"] == "error" for r in results)
    assert (answer.status_code == 409) == bool(conflicts)
    if conflicts:
        assert body["error"]["code"] == "CONFLICT"
        assert body["detail"] == body["error"]["message"]
        assert body["error"]["details"]["diff"] == conflicts[0]["diff"]
        assert body["error"]["request_id"] == answer["X-Request-ID"]
    for r in results:
        applied = r["status"] in {"created", "updated", "deleted"}
        assert (r["error_code"] is None) == applied
        assert bool(r["error_message"]) != applied
        assert (r["diff"] is not None) == (r["status"] == "conflict")
    return results


def statuses(results: list[dict[str, Any]]) -> list[str]:
    """Status of each result, or the code of an error."""
    return [r["error_code"] if r["status"] == "error" else r["status"] for r in results]
