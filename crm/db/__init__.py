"""Everything that differs between PostgreSQL and SQLite.

`postgresql.py` and `sqlite.py` have the same functions; `engine_for` chooses. `expressions.py` gives them to
querysets, `triggers/` and `operations.py` to migrations.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections
from django.db.models import QuerySet

from crm.db.boxes import in_boxes
from crm.db.engines import Engine, engine_for
from crm.db.expressions import distance_m, holds_any
from crm.db.violations import Violation

__all__ = [
    "Engine",
    "Violation",
    "distance_m",
    "engine_for",
    "estimate_count",
    "holds_any",
    "in_boxes",
    "violated_constraint",
]


def estimate_count(queryset: QuerySet[Any]) -> int | None:
    """About how many rows the query gives; None on an engine that cannot tell. Costs no scan."""
    return engine_for(connections[queryset.db]).estimate_count(queryset)


def violated_constraint(error: IntegrityError, using: str = DEFAULT_DB_ALIAS) -> Violation | None:
    """What the database refused, or None when its error says nothing known."""
    return engine_for(connections[using]).violated_constraint(error)
