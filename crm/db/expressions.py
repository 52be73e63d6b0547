"""The engines' conditions and distances as Django expressions."""

import math
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import FieldError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, FloatField, Func, Q
from django.db.models.sql.compiler import SQLCompiler

from crm.db.engines import Engine, engine_for

Compiled = tuple[str, tuple[Any, ...]]


class _OfColumns(Func):
    """A function of plain columns, which may stand several times in its SQL."""

    def engine_sql(self, engine: Engine, columns: Sequence[str]) -> tuple[str, list[Any]]:
        """The engine's SQL and its parameters, given the columns' SQL."""
        raise NotImplementedError

    def as_sql(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> Compiled:
        compiled = [compiler.compile(expression) for expression in self.get_source_expressions()]
        if any(params for _, params in compiled):
            raise FieldError("only columns will do, not expressions with parameters")
        sql, params = self.engine_sql(engine_for(connection), [column for column, _ in compiled])
        return sql, tuple(params)


class Guessed(_OfColumns):
    """A condition that an index answers, and of which a planner has no figures: see `crm.db.guesses`."""

    output_field = BooleanField()


class WordsMatch(Guessed):
    """Whether a `search_text` column has the words; see `crm.searching.search_condition`."""

    def __init__(
        self, column: F, words: tuple[str, ...], digits: str = "", *, private: bool = False
    ) -> None:
        super().__init__(column)
        self.words, self.digits, self.private = words, digits, private

    def engine_sql(self, engine: Engine, columns: Sequence[str]) -> tuple[str, list[Any]]:
        return engine.words_match(columns[0], self.words, self.digits, private=self.private)


class Distance(_OfColumns):
    """Metres between two columns in degrees and a point; NULL without coordinates."""

    output_field = FloatField()

    def __init__(self, lat_column: F, lng_column: F, lat: float, lng: float) -> None:
        super().__init__(lat_column, lng_column)
        self.lat, self.lng = lat, lng

    def engine_sql(self, engine: Engine, columns: Sequence[str]) -> tuple[str, list[Any]]:
        lat, lng = columns
        return engine.distance_sql(lat, lng), [self.lat, math.cos(math.radians(self.lat)), self.lng]


def distance_m(lat_field: str, lng_field: str, lat: float, lng: float) -> Distance:
    """Metres (haversine) between the row's coordinates and the point, to annotate, filter and sort by.

    NULL where the row has no coordinates. Filter by `in_boxes(boxes_around(…))` as well: this has no index.
    """
    return Distance(F(lat_field), F(lng_field), lat, lng)


class ListHoldsAny(Guessed):
    """Whether a JSON list of words holds one of the given ones."""

    def __init__(self, column: F, words: tuple[str, ...]) -> None:
        super().__init__(column)
        self.words = words

    def engine_sql(self, engine: Engine, columns: Sequence[str]) -> tuple[str, list[Any]]:
        return engine.list_holds_any(columns[0], self.words)


def holds_any(field: str, words: Sequence[str]) -> Q:
    """The rows of whose JSON list `field` holds one of the words; no words, no rows. PostgreSQL: indexed."""
    return Q(ListHoldsAny(F(field), tuple(words))) if words else Q(pk__in=[])


class Unindexed(_OfColumns):
    """The column's value, in a form that no index holds: an order by it has to be sorted."""

    def engine_sql(self, engine: Engine, columns: Sequence[str]) -> tuple[str, list[Any]]:
        return engine.unindexed_sql(columns[0]), []
