"""The few different values of an indexed column, without reading the many rows that hold them."""

from typing import Any

from django.db import connections, models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL


def different_values(rows: QuerySet[Any], field: str) -> list[Any]:
    """The values of the field in `rows`, in order, each once; NULL left out.

    One query that goes from each value to the next through an index on the conditions' columns and the field:
    its cost is the number of values (https://wiki.postgresql.org/wiki/Loose_indexscan). DISTINCT would read
    every row. The conditions of `rows` are on its own columns.
    """
    column: models.Field[Any, Any] = rows.model._meta.get_field(field)
    ordered = rows.order_by(field).values(field)
    first, first_params = ordered.filter(**{f"{field}__isnull": False})[:1].query.sql_with_params()
    following = ordered.filter(**{f"{field}__gt": RawSQL("known.value", ())})
    narrowed, params = following[:1].query.sql_with_params()
    statement = (
        f"WITH RECURSIVE known(value) AS (SELECT ({first}) UNION ALL"
        f" SELECT ({narrowed}) FROM known WHERE known.value IS NOT NULL)"
        " SELECT value FROM known WHERE value IS NOT NULL"
    )
    with connections[rows.db].cursor() as cursor:
        cursor.execute(statement, [*first_params, *params])
        return [column.to_python(value) for (value,) in cursor.fetchall()]
