"""A table read by several indexed ways at once.

Django can combine finished queries (`union`), but not narrow down what comes out of it. Here the union stands in
the place of the table, so that the query stays an ordinary one: both engines push its conditions, and its order
with a limit, into each way (PostgreSQL: a merge append).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
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
    ) -> tuple[str, list[Any]]:
        parts: list[str] = []
        params: list[Any] = []
        for way in self.ways:
            sql, given = way.query.get_compiler(connection=connection).as_sql()
            parts.append(sql)
            params += given
        return f"({' UNION ALL '.join(parts)}) {compiler.quote_name(self.table_alias)}", params

    def relabeled_clone(self, change_map: Mapping[str | None, str]) -> "Ways":
        alias = change_map.get(self.table_alias, self.table_alias)
        return type(self)(self.table_name, alias, self.ways)

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
