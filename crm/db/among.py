"""Rows whose column has one of many values, asked with one parameter instead of one for each value."""

from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler


class Among(In):
    """`IN`; on PostgreSQL `= ANY(array)`: the driver would look through a thousand placeholders for each."""

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        """One array (https://www.postgresql.org/docs/current/functions-comparisons.html)."""
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*parameters, list(self.rhs)]


def among(path: str, values: Iterable[Any]) -> Among:
    """A condition for `filter()`: the column at `path` has one of the values, none of them NULL.

    The values are of the column's own type (UUIDs, texts, whole numbers).
    """
    return Among(F(path), list(values))
