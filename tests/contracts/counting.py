"""How many queries each request takes, pinned in a file: an N+1 is a failing diff.

CRM_PIN_QUERIES=1 writes the file anew.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.contracts.kinds import MODELS, Kind

PINNED = Path(__file__).with_name("query_counts.json")
PINNING = "CRM_PIN_QUERIES"
ROLES = {"ADMIN": "anna", "SUPERVISOR": "sergei", "ENGINEER": "ivan"}
# Where savepoints begin and end is Django's business.
UNCOUNTED = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
Counts = dict[str, dict[str, int]]


def pinned() -> dict[str, Counts]:
    """kind → request → role → queries; the same on both engines, but for what PostgreSQL counts first."""
    found: dict[str, Counts] = json.loads(PINNED.read_text(encoding="utf-8"))
    return found


def counted_first(counts: Counts) -> Counts:
    """The counts, without the question how many there are that decides how PostgreSQL looks for words."""
    if connection.vendor != "postgresql":
        return counts
    return {
        request: {role: number - (request == "search") for role, number in by_role.items()}
        for request, by_role in counts.items()
    }


def queries_of(call: Callable[[], Any]) -> int:
    """How many queries a request takes that is answered with success."""
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        answer = call()
    assert answer.status_code < 300, answer.content
    return sum(not query["sql"].startswith(UNCOUNTED) for query in captured.captured_queries)


class CountingContract:
    """Requests take as many queries as pinned, however many rows there are."""

    kind: ClassVar[Kind]

    def requests(self, cast: Cast, role: str, path: str) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Each request by its name; what it needs is made before it is handed out."""
        api, url = cast.api(getattr(cast, ROLES[role])), self.kind.url
        yield "list", lambda: api.get(url, {"limit": "1000"})
        yield "cursor", lambda: api.get(url, {"cursor": "", "size": "1000"})
        yield "search", lambda: api.get(url, {"q": "тверская"})
        yield "detail", lambda: api.get(path)
        body = self.kind.body(cast)
        yield "create", lambda: api.post(url, body)
        name, first, second = self.kind.edit
        edit = {
            name: second if role == "SUPERVISOR" else first,
            "version": api.get(path).json()["version"],
        }
        yield "patch", lambda: api.patch(path, edit)
        yield "unchanged", lambda: api.patch(path, {})
        if role != "ENGINEER":
            bare = f"{url}/{self.kind.make(cast).pk}"
            yield "delete", lambda: api.delete(bare)

    def measured(self, cast: Cast, rows: int) -> Counts:
        """The queries of each request, by role, on top of `rows` rows."""
        records = [self.kind.make(cast) for _ in range(rows)]
        path = f"{self.kind.url}/{records[0].pk}"
        counts: Counts = {}
        for role in ROLES:
            for request, call in self.requests(cast, role, path):
                counts.setdefault(request, {})[role] = queries_of(call)
        assert MODELS[self.kind.name].objects.count() > rows
        return counted_first(counts)

    def test_queries_are_as_many_as_pinned(self, cast: Cast) -> None:
        counts = self.measured(cast, rows=2)
        if os.environ.get(PINNING):
            everything = pinned() if PINNED.exists() else {}
            text = json.dumps({**everything, self.kind.name: counts}, indent=2, sort_keys=True)
            PINNED.write_text(text + "\n", encoding="utf-8")
        assert counts == pinned()[self.kind.name]

    def test_more_rows_take_no_more_queries(self, cast: Cast) -> None:
        assert self.measured(cast, rows=9) == pinned()[self.kind.name]
