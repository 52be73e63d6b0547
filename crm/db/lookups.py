"""A query for one row whose statement is compiled once: Django takes ten times as long to build and compile
it as the database to answer. And the first query of a request, which tells whether the connection lives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)
T = TypeVar("T")


def positions_of(mark: Any, parameters: Sequence[Any]) -> tuple[int, ...]:
    """Where a value that nothing else can equal stands among a statement's parameters.

    Raises LookupError when it is not there: the statement would answer for another row.
    """
    found = tuple(i for i, value in enumerate(parameters) if value == mark)
    if not found:
        raise LookupError("the statement does not ask for the row")
    return found


def bound(parameters: Sequence[Any], places: Sequence[int], value: Any) -> list[Any]:
    """The parameters with a value in its places."""
    given = list(parameters)
    for place in places:
        given[place] = value
    return given


def id_for(connection: BaseDatabaseWrapper, value: UUID) -> Any:
    """An id as the engine takes it in a statement's parameters."""
    return value if connection.features.has_native_uuid_field else value.hex


@dataclass(frozen=True)
class _Statement:
    sql: str
    parameters: Sequence[Any]
    places: tuple[tuple[int, ...], ...]
    model: type[Model]
    columns: slice
    names: list[str]
    populators: list[Any]
    converters: dict[int, tuple[list[Any], Any]]


class RowByIds(Generic[M]):
    """The row that some ids name, with what `rows` selects along, in one statement.

    rows: given so many ids, the queryset; called once per database with ids that no row has.
    """

    def __init__(self, rows: Callable[..., "QuerySet[M]"], count: int) -> None:
        self.rows = rows
        self.marks: Final = [uuid4() for _ in range(count)]
        self.compiled: dict[str, _Statement] = {}

    def find(self, *ids: UUID, using: str = DEFAULT_DB_ALIAS) -> M | None:
        """The row, or None."""
        connection = connections[using]
        statement = self.compiled.get(using)
        if statement is None:
            statement = self.compiled[using] = self._compile(connection)
        parameters: Sequence[Any] = statement.parameters
        for places, value in zip(statement.places, ids, strict=True):
            parameters = bound(parameters, places, id_for(connection, value))
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, parameters)
            row = cursor.fetchone()
        return None if row is None else self._instance(connection, statement, list(row))

    def _compile(self, connection: BaseDatabaseWrapper) -> _Statement:
        compiler = self.rows(*self.marks).query.get_compiler(using=connection.alias)
        sql, parameters = compiler.as_sql()
        select, klass = compiler.select, cast("dict[str, Any]", compiler.klass_info)
        fields = klass["select_fields"]
        columns = slice(fields[0], fields[-1] + 1)
        return _Statement(
            sql=sql,
            parameters=parameters,
            places=tuple(positions_of(id_for(connection, mark), parameters) for mark in self.marks),
            model=klass["model"],
            columns=columns,
            names=[expression[0].target.attname for expression in select[columns]],
            # The stubs are a Django ahead.
            populators=get_related_populators(klass, select, connection.alias),  # type: ignore[call-arg]
            converters=compiler.get_converters([expression[0] for expression in select]),
        )

    @staticmethod
    def _instance(connection: BaseDatabaseWrapper, statement: _Statement, row: list[Any]) -> M:
        for position, (converters, expression) in statement.converters.items():
            for convert in converters:
                row[position] = convert(row[position], expression, connection)
        found = statement.model.from_db(connection.alias, statement.names, row[statement.columns])
        for populator in statement.populators:
            populator.populate(row, found)
        return cast("M", found)


def asked_first(ask: Callable[[], T], using: str = DEFAULT_DB_ALIAS) -> T:
    """What `ask` gives: reads that begin a request. They take the place of Django's health check.

    That check (CONN_HEALTH_CHECKS) costs each request a round trip. Here the question itself finds out: on a
    dead connection it is asked again on a new one. Only for reads, which may be asked twice.
    """
    connection: Any = connections[using]
    if connection.connection is None or connection.in_atomic_block or connection.health_check_done:
        return ask()
    connection.health_check_done = True
    try:
        return ask()
    except (OperationalError, InterfaceError):
        if connection.is_usable():
            raise
        connection.close()
        return ask()
