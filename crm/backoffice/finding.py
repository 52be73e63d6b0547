"""Finding a record from anywhere (Ctrl+K): the search of each list that takes part, a few rows of each."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm.api.listing import by_the_short_road
from crm.backoffice.shown import change_url

# Of each kind; whoever looks for more goes to the list.
FEW = 6
# One letter finds everybody.
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Found:
    """One row: its name, its kind, its page."""

    title: str
    description: str
    link: str
    icon: str


def found(request: HttpRequest, query: str) -> list[Found]:
    """The rows in the reader's sight that the query finds: one query for each kind."""
    text = query.strip()
    if len(text) < SHORTEST:
        return []
    results = []
    for model, pages in admin.site._registry.items():
        icon = getattr(pages, "found_as", "")
        if not icon:
            continue
        each: Any = pages
        rows, _again = each.get_search_results(request, each.get_queryset(request), text)
        kind = str(model._meta.verbose_name)
        found_rows = by_the_short_road(rows.order_by(*each.ordering))[:FEW]
        results += [Found(each.option_text(row), kind, change_url(row), icon) for row in found_rows]
    return results
