"""Conditions whose matches PostgreSQL can only guess at: words, and what a list holds.

It takes a word that it has no figures of for some thousandths of the rows, evenly spread, and to give the
first twenty of a list it would read the table in the list's order, to its very end where nobody has the word.
Counting up to a bound tells which road is short (`crm.db.counting`): few matches are gathered by their index
and then sorted, of many a page is soon met in the list's order.
"""

from typing import Any

from django.db import connections
from django.db.models import F, OrderBy, QuerySet

from crm.db.engines import engine_for
from crm.db.expressions import Guessed, Unindexed


def is_guess(rows: QuerySet[Any]) -> bool:
    """Whether the planner can only guess how many rows match, and an index would tell."""
    if not engine_for(connections[rows.db]).GUESSES:
        return False
    # What is known to be empty is a leaf, too, and no expression.
    leaves = (leaf for leaf in rows.query.where.leaves() if hasattr(leaf, "flatten"))
    return any(isinstance(part, Guessed) for leaf in leaves for part in leaf.flatten())


def gathered(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same rows in the same order, which no index gives: what matches is found first, and then sorted.

    As they are when they come in no order, or in one that is worked out.
    """
    first, *rest = rows.query.order_by or ("",)
    term = _term(first)
    column = getattr(term, "expression", None)
    if not isinstance(column, F) or getattr(column, "name", "") in rows.query.annotations:
        return rows
    hidden = term.copy()
    hidden.set_source_expressions([Unindexed(column)])
    return rows.order_by(hidden, *rest)


def _term(key: Any) -> Any:
    """A key of `order_by` as an expression; None for one that is no column."""
    if not isinstance(key, str):
        return key
    name = key.removeprefix("-")
    return OrderBy(F(name), descending=key.startswith("-")) if name not in {"", "?"} else None
