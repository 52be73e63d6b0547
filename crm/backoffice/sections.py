"""What stands below a record's form: what hangs on it, its history, its place on the map.

An app registers sections for models of the floors below it, in its admin.py:

    @sections.section(Object, title=_("Flats"), order=10)
    def flats(request, record) -> sections.Section | None: ...
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from crm.errors import Sentence


@dataclass(frozen=True, slots=True)
class Section:
    """A table of rows, or a template of one's own with its context.

    headers, rows: cells are text or safe HTML. more: the link to all of them. add: the link to a new one.
    count: a short text beside the title ("12", "100+").
    """

    headers: Sequence[Sentence] = ()
    rows: Sequence[Sequence[Any]] = ()
    empty: Sentence = ""
    more: str = ""
    add: str = ""
    count: str = ""
    template: str = "backoffice/section_table.html"
    context: dict[str, Any] = field(default_factory=dict)


Facts = Callable[[HttpRequest, Any], Section | None]


@dataclass(frozen=True, slots=True)
class Registered:
    """A section with its place. beside: in the narrow column."""

    title: Sentence
    order: int
    beside: bool
    facts: Facts


_sections: dict[type[Model], list[Registered]] = {}


def section(
    model: type[Model], *, title: Sentence, order: int = 100, beside: bool = False
) -> Callable[[Facts], Facts]:
    """Put what the function tells below the form of that kind of record."""

    def put(facts: Facts) -> Facts:
        _sections.setdefault(model, []).append(Registered(title, order, beside, facts))
        return facts

    return put


def sections_of(request: HttpRequest, record: Model) -> list[dict[str, Any]]:
    """The sections of a record with their facts, in order."""
    shown = []
    for one in sorted(_sections.get(type(record), []), key=lambda each: each.order):
        facts = one.facts(request, record)
        if facts is not None:
            shown.append({"title": one.title, "beside": one.beside, "facts": facts})
    return shown


def count_of(found: Sequence[Any], shown: int) -> str:
    """How many there are, of a list that was asked for one more than is shown."""
    return f"{shown}+" if len(found) > shown else (str(len(found)) if found else "")
