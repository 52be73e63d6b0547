"""A table of the tests' own, and SQL expressions evaluated by the engine."""

from typing import Any, ClassVar

from django.db import connection, models

from crm.db import engine_for
from crm.db.engines import Engine


class Place(models.Model):
    """Coordinates and searchable text, without the triggers and rules of the real tables."""

    lat = models.FloatField(null=True)
    lng = models.FloatField(null=True)
    search_text = models.TextField(default=" ")
    number = models.IntegerField(null=True)

    # Said aloud because type checkers know the managers of installed apps only.
    objects: ClassVar[models.Manager["Place"]] = models.Manager()

    class Meta:
        app_label = "scratch"
        db_table = "scratch_place"


def engine() -> Engine:
    """The module of the engine that the tests run on."""
    return engine_for(connection)


def make_place_table() -> None:
    """Create the table inside the test's transaction, with the special indexes."""
    sql = engine()
    with connection.cursor() as cursor:
        key = "integer PRIMARY KEY" if connection.vendor == "sqlite" else "bigserial PRIMARY KEY"
        cursor.execute(
            f"CREATE TABLE scratch_place (id {key}, lat double precision, lng double precision,"
            " search_text text NOT NULL DEFAULT ' ', number integer)"
        )
        for statement in (
            "CREATE INDEX scratch_place_point ON scratch_place (lat, lng)",
            sql.gin_search_index_sql("scratch_place", "search_text", "scratch_place_search"),
        ):
            if statement:
                cursor.execute(statement)


def evaluate(expression: str, *values: str | None) -> Any:
    """The value of an SQL expression over the text columns a, b, c, … of a row made of the values."""
    names = "abcdefgh"[: len(values)]
    row = ", ".join(f"CAST(%s AS text) AS {name}" for name in names)
    # A generated expression must be fit for drivers that look for their own % in it.
    assert "%" not in expression
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression} FROM (SELECT {row}) AS given", values)
        return cursor.fetchone()[0]


def plan_of(queryset: models.QuerySet[Any], *settings: str) -> str:
    """How the engine would run the query, as EXPLAIN prints it; settings are PostgreSQL's."""
    with connection.cursor() as cursor:
        for setting in settings if connection.vendor == "postgresql" else ():
            cursor.execute(f"SET LOCAL {setting}")
    return queryset.explain()
