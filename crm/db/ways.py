"""A table read by several indexed ways at once.

Django can combine finished queries (`union`), but not narrow down what comes out of it. Here the union stands
in the place of the table, so that the query stays an ordinary one. Its conditions, and its order and limit,
are put into each way as well: left to itself, PostgreSQL may read all ways to their ends and sort.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.sql import AND, Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.datastructures import BaseTable

Q = TypeVar("Q", bound=QuerySet[Any])


class Ways(BaseTable):
    """`(SELECT … UNION ALL SELECT …) "table"` instead of `"table"`."""

    def __init__(self, table_name: str, alias: str, ways: Sequence[QuerySet[Any]]) -> None:
        super().__init__(table_name, alias)
        self.ways = tuple(ways)

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        parts: list[str] = []
        params: list[Any] = []
        for way in self.ways:
            narrowed = self.narrowed(way.query.chain(), compiler.query)
            sql, given = narrowed.get_compiler(connection=connection).as_sql()
            # SQLite takes the limit of a part only one level deeper.
            parts.append(f"SELECT * FROM ({sql}) AS way")
            params += given
        alias = connection.ops.quote_name(str(self.table_alias))
        return f"({' UNION ALL '.join(parts)}) {alias}", tuple(params)

    def narrowed(self, way: Query, whole: Query) -> Query:
        """One way, as far as the whole query can need its rows."""
        alone = all(name == self.table_alias for name, used in whole.alias_refcount.items() if used)
        if not alone or whole.group_by or whole.distinct:
            return way
        way.where.add(whole.where.clone(), AND)
        if whole.high_mark is not None:
            way.order_by = whole.order_by
            way.set_limits(high=whole.high_mark)
        return way

    def relabeled_clone(self, change_map: Mapping[str | None, str]) -> "Ways":
        alias = change_map.get(self.table_alias, self.table_alias)
        return type(self)(self.table_name, str(alias), self.ways)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, tuple(str(way.query) for way in self.ways))


def by_ways(rows: Q, ways: Sequence[QuerySet[Any]]) -> Q:
    """`rows` read by all of `ways` instead of from its table: querysets of whole rows without an order.

    A row that lies on two ways comes twice: the caller keeps them apart.
    """
    found = rows.all()
    alias = found.query.get_initial_alias()
    table = found.query.alias_map[alias].table_name
    found.query.alias_map[alias] = Ways(table, alias, ways)
    return found
