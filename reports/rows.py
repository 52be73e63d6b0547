"""The rows of a report: read by one statement, and said the way a person reads them.

Values come straight from the database's rows, a column of a chunk at a time; model instances would cost five
times as much.
"""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from datetime import tzinfo
from itertools import islice
from typing import Any, Final

from django.db.models import Expression, F, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.api.fields import moment_text
from crm.db.reading import CHUNK, QuickMoment, moment_of, rows_of_one_moment
from crm.masking import mask_phone
from crm.users.models import User
from reports.columns import Column, Kind

Cells = Sequence[Any]
# From the cells of a column as the database has them to those that the report shows.
Saying = Callable[[Cells], Cells]

# How many different JSON values of a column are remembered in words.
_PHRASES: Final = 1000


def stream(
    queryset: QuerySet[Any],
    columns: Sequence[Column],
    *,
    user: User,
    raw: bool,
    language: str,
    zone: tzinfo,
) -> Generator[Cells]:
    """The queryset's rows, in its order, as the cells of `columns`; all of one moment, in flat memory.

    Moments are naive datetimes of `zone`, choices and lists are in words of `language`, yes and no too; with
    `raw` they are codes, booleans and ISO 8601 in UTC. Phones are masked if the user sees them so. Close the
    iterator to leave early.
    """
    with translation.override(language):
        sayings = [_saying(column, user=user, raw=raw, zone=zone) for column in columns]
    named = {f"column_{number}": _reading(column) for number, column in enumerate(columns)}
    found = rows_of_one_moment(queryset.annotate(**named).values_list(*named))
    with closing(found):
        while chunk := list(islice(found, CHUNK)):
            cells = zip(*chunk, strict=True)
            yield from zip(
                *(say(each) for say, each in zip(sayings, cells, strict=True)), strict=True
            )


def _reading(column: Column) -> Expression | F:
    """The column's value in the form that costs least to read."""
    if column.kind is Kind.MOMENT:
        return QuickMoment(column.expression())
    if column.kind in (Kind.LIST, Kind.ATTRIBUTES):
        return Cast(column.expression(), TextField())
    return column.expression()


def _saying(column: Column, *, user: User, raw: bool, zone: tzinfo) -> Saying:
    """How the column's values are said to that reader, in the current language."""
    if column.personal and not user.sees_personal_data:
        return lambda cells: [mask_phone(cell) for cell in cells]
    make = (_RAW if raw else _IN_WORDS).get(column.kind)
    return make(column, zone) if make else lambda cells: cells


def _ids(_column: Column, _zone: tzinfo) -> Saying:
    return lambda cells: [None if cell is None else str(cell) for cell in cells]


def _moments(_column: Column, zone: tzinfo) -> Saying:
    return lambda cells: [
        None if cell is None else moment_of(cell).astimezone(zone).replace(tzinfo=None)
        for cell in cells
    ]


def _moment_texts(_column: Column, _zone: tzinfo) -> Saying:
    return lambda cells: [None if cell is None else moment_text(moment_of(cell)) for cell in cells]


def _choices(column: Column, _zone: tzinfo) -> Saying:
    labels = {code: capfirst(str(label)) for code, label in column.choices.items()}
    # A code that no version of the code knows any more is shown as it is.
    return lambda cells: [labels.get(cell, cell) for cell in cells]


def _lists(column: Column, _zone: tzinfo) -> Saying:
    """`["INTERNET", "TV"]` as «Internet, television»."""
    labels = {code: str(label) for code, label in column.choices.items()}

    def say(value: Any) -> str | None:
        words = map(str, value) if isinstance(value, list) else [_json(value)]
        phrase = ", ".join(labels.get(word, word) for word in words)
        return (capfirst(phrase) if labels else phrase) or None

    return _of_json(say)


def _of_json(say: Callable[[Any], str | None]) -> Saying:
    """Says JSON texts; the same one, as short lists mostly are, only once."""
    said: dict[str | None, str | None] = {None: None}

    def phrase(text: str | None) -> str | None:
        if text in said:
            return said[text]
        found = None if text is None else say(json.loads(text))
        if len(said) < _PHRASES:
            said[text] = found
        return found

    return lambda cells: [phrase(cell) for cell in cells]


def _booleans(_column: Column, _zone: tzinfo) -> Saying:
    words = {True: capfirst(_("yes")), False: capfirst(_("no"))}
    return lambda cells: [words.get(cell) for cell in cells]


def _attributes(_column: Column, _zone: tzinfo) -> Saying:
    """`{"rooms": 2, "balcony": true}` as «rooms: 2; balcony: yes»."""
    words = {True: _("yes"), False: _("no")}

    def value(one: Any) -> str:
        if isinstance(one, bool):
            return words[one]
        return str(one) if isinstance(one, str | int | float) else _json(one)

    def say(given: Any) -> str | None:
        if not isinstance(given, dict):
            return _json(given)
        told = (f"{name}: {value(one)}" for name, one in given.items() if one is not None)
        return "; ".join(told) or None

    return _of_json(say)


def _json_texts(_column: Column, _zone: tzinfo) -> Saying:
    # The engines write JSON differently.
    return _of_json(_json)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_IN_WORDS: Final[dict[Kind, Callable[[Column, tzinfo], Saying]]] = {
    Kind.ID: _ids,
    Kind.MOMENT: _moments,
    Kind.CHOICE: _choices,
    Kind.LIST: _lists,
    Kind.BOOLEAN: _booleans,
    Kind.ATTRIBUTES: _attributes,
}
_RAW: Final[dict[Kind, Callable[[Column, tzinfo], Saying]]] = {
    Kind.ID: _ids,
    Kind.MOMENT: _moment_texts,
    Kind.LIST: _json_texts,
    Kind.ATTRIBUTES: _json_texts,
}
