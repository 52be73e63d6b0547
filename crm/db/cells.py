"""The cell of `crm.map_grid.Grid` that a row lies in, as expressions that both engines understand."""

import math

from django.db.models import Expression, F, FloatField, IntegerField, Value
from django.db.models.functions import Cast, Floor, Greatest, Least, Ln, Radians, Tan

from crm.map_grid import MERCATOR_EDGE, WORLD_DEGREES, Grid


def number(value: float) -> Value:
    """A constant that PostgreSQL, too, takes for a float: of a plain one it makes an exact decimal."""
    return Value(float(value), output_field=FloatField())


def column_of(lng_field: str, grid: Grid) -> Expression:
    """The cell's column; the 180th meridian belongs to the last one."""
    turned = (F(lng_field) + number(WORLD_DEGREES / 2)) * number(grid.across / WORLD_DEGREES)
    last = number(grid.across - 1)
    return Cast(Floor(Least(turned, last)), IntegerField())


def row_of(lat_field: str, grid: Grid) -> Expression:
    """The cell's row; poles and what lies around them belong to the first and the last one."""
    kept = Greatest(Least(F(lat_field), number(MERCATOR_EDGE)), number(-MERCATOR_EDGE))
    # Ninety added first: half of a denormal number would be an underflow, an error on PostgreSQL.
    turned = Ln(Tan(Radians(number(90) + kept) / number(2))) / number(2 * math.pi)
    return Cast(Floor((number(0.5) - turned) * number(grid.across)), IntegerField())
