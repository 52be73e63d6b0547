"""Columns that a higher floor adds to a lower floor's list: visits know an object's next call-back.

Each costs one query a page, whatever its length.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model

from crm.errors import Sentence
from crm.users.models import User

Values = Callable[[Sequence[UUID], User], Mapping[UUID, Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """name: unique in its list. values: id → what the cell shows (text or safe HTML); absent = empty."""

    name: str
    title: Sentence
    values: Values


_columns: dict[type[Model], list[Column]] = {}


def add(model: type[Model], column: Column) -> None:
    """Add a column at the end of that model's list."""
    _columns.setdefault(model, []).append(column)


def columns_of(model: type[Model]) -> list[Column]:
    """The added columns of a model's list."""
    return _columns.get(model, [])
