"""How many rows match: counted up to a bound, beyond it estimated, and not counted twice for nothing."""

import time
from collections.abc import Hashable, Sequence
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models import QuerySet

from crm.db import estimate_count
from crm.db.guesses import is_guess
from crm.db.json_pages import state_sql
from crm.recent import Recent

# How many counts a process remembers.
REMEMBERED: Final = 4096
# How long it believes that something is rare, or frequent.
BELIEVED_SECONDS: Final = 60.0


class Matches:
    """The rows of a queryset, to be counted; its statement is compiled at the first question."""

    def __init__(self, rows: QuerySet[Any], bound: int) -> None:
        self.rows = rows.order_by()
        self.bound = bound
        self._compiled: tuple[str, Sequence[Any]] | None = None

    def are_few(self) -> bool:
        """Whether counting ends before the bound. Believed for a minute: only roads depend on it."""
        now = time.monotonic()
        known = _few.get(self._key)
        if known is not None and known[0] > now:
            return known[1]
        few = self.total(None)[0] <= self.bound
        if self._keeps:
            _few.put(self._key, (now + BELIEVED_SECONDS, few))
        return few

    def exactly(self) -> int:
        """All of them, one by one."""
        return self.rows.count()

    def total(self, state: str | None) -> tuple[int, bool]:
        """How many, and whether that is an estimate: exact up to the bound, or without a planner to ask.

        state: of the data as it was read (`JsonRow.state`). A count made in the same state is still right:
        nobody has committed anything since.
        """
        sql, parameters = self._statement()
        if not sql:
            return 0, False
        keeps, key = self._keeps, self._key
        known = _counts.get(key) if keeps else None
        if known is not None and known[0] == state:
            return known[1:]
        counted_in, counted = self._counted(sql, parameters)
        total, estimated = counted, False
        if counted > self.bound:
            estimate = estimate_count(self.rows)
            estimated = estimate is not None
            total = self.exactly() if estimate is None else max(estimate, counted)
        if keeps and counted_in is not None:
            _counts.put(key, (counted_in, total, estimated))
        return total, estimated

    @property
    def _keeps(self) -> bool:
        """Whether what is counted may be remembered: others may see it too."""
        return not connections[self.rows.db].in_atomic_block

    @property
    def _key(self) -> Hashable:
        sql, parameters = self._statement()
        return self.rows.db, sql, tuple(parameters)

    def _statement(self) -> tuple[str, Sequence[Any]]:
        if self._compiled is None:
            guessed = is_guess(self.rows)
            some = self.rows.values("pk")
            query = (some if guessed else some[: self.bound + 1]).query
            try:
                inner, parameters = query.get_compiler(using=self.rows.db).as_sql()
            except EmptyResultSet:
                self._compiled = ("", ())
            else:
                state = state_sql(connections[self.rows.db])
                self._compiled = (
                    (_GUESSED if guessed else _PLAIN).format(
                        state=state, rows=inner, most=self.bound + 1
                    ),
                    parameters,
                )
        return self._compiled

    def _counted(self, sql: str, parameters: Sequence[Any]) -> tuple[str | None, int]:
        with connections[self.rows.db].cursor() as cursor:
            cursor.execute(sql, parameters)
            state, counted = cursor.fetchone()
        return state, int(counted)


# The planner is not told of the bound, or it would hope to meet so many rows soon. They are still read only
# up to it: such a query gives its rows as they are asked for.
_GUESSED: Final = (
    "WITH k AS MATERIALIZED ({rows}) SELECT {state}, count(*) FROM (SELECT 1 FROM k LIMIT {most}) n"
)
_PLAIN: Final = "SELECT {state}, count(*) FROM ({rows}) k"


_few: Final[Recent[tuple[float, bool]]] = Recent(REMEMBERED)
_counts: Final[Recent[tuple[str, int, bool]]] = Recent(REMEMBERED)


def _forget(**_: Any) -> None:
    """A new connection may lead to a server that was restored from a backup: its states mean other data."""
    _counts.clear()
    _few.clear()


connection_created.connect(_forget, dispatch_uid="crm.db.counting")
