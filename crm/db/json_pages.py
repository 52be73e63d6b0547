"""The rows of a queryset as JSON text that the database makes.

The queryset chooses, orders and cuts; only then the rows that are left become JSON, each with its summaries
by their ids. So a page deep in a list joins nothing for what it skips, and planning stays short: seven tables
in one join take PostgreSQL longer to plan than to read.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, QuerySet

from crm.db.json_text import Member, object_sql, unescaped
from crm.db.lookups import bound, id_for, positions_of

# Stands for the id in the statement of one row, or of the rows beyond one.
ANY_ID: Final = uuid4()
ROW, CHOSEN = "r", "k"
# annotation of the queryset → its SQL beside the row.
Members = Callable[[Mapping[str, str]], Sequence[Member]]


@dataclass(frozen=True)
class JsonRow:
    """One row: its JSON, the values of the columns asked for, and the state of the data it was read in."""

    text: str
    values: tuple[Any, ...]
    state: str | None


@dataclass(frozen=True)
class JsonRows:
    """A compiled statement. Holds nothing of a connection: threads may share it."""

    using: str
    sql: str
    parameters: Sequence[Any]
    converters: Mapping[int, tuple[list[Any], Any]] = field(default_factory=dict)

    def fetch(self) -> list[JsonRow]:
        """The rows, in their order."""
        return self._fetched(self.parameters)

    def fetch_one(self, row_id: UUID) -> JsonRow | None:
        """The row of that id, of a statement made for ANY_ID."""
        found = self.fetch_for(row_id)
        return found[0] if found else None

    def fetch_for(self, row_id: UUID) -> list[JsonRow]:
        """The rows, in their order, of a statement made for ANY_ID."""
        if not self.sql:
            return []
        connection = connections[self.using]
        places = positions_of(id_for(connection, ANY_ID), self.parameters)
        return self._fetched(bound(self.parameters, places, id_for(connection, row_id)))

    def _fetched(self, parameters: Sequence[Any]) -> list[JsonRow]:
        if not self.sql:
            return []
        connection = connections[self.using]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            rows = cursor.fetchall()
        return [
            JsonRow(unescaped(text), self._converted(connection, values), state)
            for text, state, *values in rows
        ]

    def _converted(self, connection: BaseDatabaseWrapper, values: list[Any]) -> tuple[Any, ...]:
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return tuple(values)


def json_rows(
    rows: QuerySet[Any],
    members: Members,
    *,
    order: Sequence[tuple[str, str]] = (),
    tell: Sequence[str] = (),
) -> JsonRows:
    """Compile `rows`, ordered and cut as they shall come, into a statement for their JSON.

    members: what the JSON shows of a row whose table is called `r`.
    order: the rows' order once more, as paths and what follows each in ORDER BY (`DESC NULLS FIRST`).
    tell: paths whose values are wanted besides.
    """
    connection = connections[rows.db]
    quote = connection.ops.quote_name
    computed = list(rows.query.annotations)
    paths = list(dict.fromkeys([*(path for path, _ in order), *tell]))
    names = {path: f"c{number}" for number, path in enumerate(paths)}
    columns = {name: F(path) for path, name in names.items()}
    chosen = rows.annotate(row_id=F("pk"), **columns).values_list("row_id", *columns, *computed)
    compiler = chosen.query.get_compiler(using=rows.db)
    try:
        inner, parameters = compiler.as_sql()
    except EmptyResultSet:
        return JsonRows(rows.db, "", ())
    text = object_sql(
        connection,
        members({name: f"{CHOSEN}.{quote(name)}" for name in computed}),
        f"{quote(rows.model._meta.db_table)} {ROW}"
        f" WHERE {ROW}.{quote(rows.model._meta.pk.column)} = {CHOSEN}.row_id",
    )
    told = "".join(f", {CHOSEN}.{names[path]}" for path in tell)
    # The engines keep a subquery's order; only this promises it. They see that nothing is left to sort.
    terms = ", ".join(f"{CHOSEN}.{names[path]} {direction}" for path, direction in order)
    ordering = f" ORDER BY {terms}" if terms else ""
    sql = f"SELECT {text}, {state_sql(connection)}{told} FROM ({inner}) {CHOSEN}{ordering}"
    places = {alias: place for place, (_e, _s, alias) in enumerate(compiler.select)}
    converters = compiler.get_converters([expression for expression, _s, _a in compiler.select])
    wanted = {number: places[names[path]] for number, path in enumerate(tell)}
    return JsonRows(
        rows.db,
        # Callers of one kind differ in parameters only: one text for all of them.
        sys.intern(sql),
        tuple(parameters),
        {number: converters[place] for number, place in wanted.items() if place in converters},
    )


def state_sql(connection: BaseDatabaseWrapper) -> str:
    """An expression that is different as soon as anybody has committed anything; NULL on SQLite.

    Equal snapshots see the same rows
    (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT).
    """
    return _STATES[connection.vendor]


_STATES: Final[Mapping[str, str]] = {
    "postgresql": "(SELECT pg_current_snapshot()::text)",
    "sqlite": "NULL",
}
