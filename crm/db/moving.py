"""Copying a whole database from one engine into another, row by row, as it is.

Triggers are off in the target meanwhile: versions, counters and times come along instead of being kept anew.
Only positions in the change feed do not: they count in the old engine's clock.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from django.apps import apps
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, Func, Model

from crm.db.bulk import copy_rows, refresh_statistics
from crm.db.positions import writing_position_sql

# Rows that are read from the source at a time.
CHUNK: Final = 2000
POSITIONS: Final = frozenset({"feed_position"})


class NotMoved(Exception):
    """Nothing was moved: the message says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table that is moved: its model and the columns that are compared afterwards."""

    model: type[Model]

    @property
    def name(self) -> str:
        """The table's name in the database."""
        return self.model._meta.db_table

    @property
    def columns(self) -> list[str]:
        """The columns in the order in which rows are read and written."""
        return [field.column or field.attname for field in self.model._meta.concrete_fields]

    @property
    def positions(self) -> list[int]:
        """Which of them are positions in the feed."""
        return [number for number, name in enumerate(self.columns) if name in POSITIONS]

    def rows(self, using: str) -> Iterator[tuple[Any, ...]]:
        """Every row, deleted ones too, by key; memory does not grow with their number."""
        key = self.model._meta.pk
        names = [field.attname for field in self.model._meta.concrete_fields]
        rows = self.model._base_manager.using(using)
        order: Any = F(key.attname)
        if isinstance(key, CharField):
            # Texts are ordered by their bytes on SQLite; on PostgreSQL a locale may think otherwise.
            order = by_bytes(connections[using], key.attname)
        return rows.order_by(order).values_list(*names).iterator(chunk_size=CHUNK)


def by_bytes(connection: BaseDatabaseWrapper, name: str) -> Any:
    """The order of a text column by its bytes."""
    collation = {"postgresql": '"C"', "sqlite": "BINARY"}[connection.vendor]
    return Func(F(name), template=f"%(expressions)s COLLATE {collation}")


def tables() -> list[Table]:
    """Every table that a model of an installed app keeps."""
    models = apps.get_models(include_auto_created=True)
    return [Table(model) for model in models if model._meta.managed and not model._meta.proxy]


def move(
    *,
    source: str,
    target: str,
    told: Callable[[str, int], None],
) -> int:
    """Copy every row of `source` into `target` (aliases of connections), and compare what arrived.

    Models with STAYS_BEHIND are left out: they say which database this is and what its feed has told, and the
    new one begins a life of its own.

    The target's schema is up to date and its tables hold nothing of value: they are emptied first. Writers of
    the source wait until it is over; all or nothing arrives. `told` hears of each table and its rows. Returns
    how many rows there are. Raises NotMoved.
    """
    into = connections[target]
    if connections[source].vendor != "sqlite" or into.vendor != "postgresql":
        raise NotMoved("Databases are moved from SQLite to PostgreSQL.")
    moved = [table for table in tables() if not getattr(table.model, "STAYS_BEHIND", False)]
    names = [into.ops.quote_name(table.name) for table in tables()]
    total = 0
    # The source's transaction is immediate: it holds the one writer's place.
    with transaction.atomic(using=source), transaction.atomic(using=target):
        with into.cursor() as cursor:
            for name in names:
                cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
            # The library's own table of the trail is no model of ours, but refers to some.
            cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")
        for table in moved:
            count = copied(table, source, into)
            total += count
            told(table.name, count)
        with into.cursor() as cursor:
            # References are checked now; a table with a check still to come cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for statement in into.ops.sequence_reset_sql(_style(), [t.model for t in moved]):
                cursor.execute(statement)
            for name in names:
                cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        for table in moved:
            compare(table, source, target)
    refresh_statistics(into, [table.name for table in moved])
    return total


def _style() -> Any:
    """Django's helpers that write SQL want to know how to colour it: not at all."""
    from django.core.management.color import no_style  # noqa: PLC0415 - of no use elsewhere

    return no_style()


def copied(table: Table, source: str, into: BaseDatabaseWrapper) -> int:
    """Write the table's rows; returns how many. Raises NotMoved for one that PostgreSQL cannot hold."""
    count = 0
    positions = table.positions
    with into.cursor() as cursor:
        cursor.execute(f"SELECT {writing_position_sql(into)}")
        (position,) = cursor.fetchone()

    def rows() -> Iterator[Sequence[Any]]:
        nonlocal count
        for row in table.rows(source):
            count += 1
            if positions:
                values = list(row)
                for number in positions:
                    values[number] = position
                yield values
            else:
                yield row

    try:
        copy_rows(into, table.name, table.columns, rows())
    except DatabaseError as error:
        raise NotMoved(f"{table.name}: {str(error).strip()}") from error
    return count


def compare(table: Table, source: str, target: str) -> None:
    """Raises NotMoved unless both databases give the same rows, value by value; positions aside."""
    aside = set(table.positions)
    for before, after in zip_longest(table.rows(source), table.rows(target)):
        if before == after:
            continue
        if before is None or after is None:
            raise NotMoved(f"{table.name}: the number of rows differs.")
        for number, column in enumerate(table.columns):
            if number not in aside and before[number] != after[number]:
                raise NotMoved(
                    f"{table.name}: {column} of row {before[0]} did not arrive as it was."
                )
