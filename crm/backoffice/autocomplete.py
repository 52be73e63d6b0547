"""What select boxes load while somebody types: never a whole table, never what is out of their sight."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.paginator import EmptyPage, Page, Paginator

from crm.api.listing import by_the_short_road


class PeekingPage(Page):
    """A page that knows by one row more whether there is a next one."""

    more = False

    def has_next(self) -> bool:
        return self.more


class PeekingPaginator(Paginator):
    """Pages without a count."""

    def page(self, number: Any) -> PeekingPage:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        found = by_the_short_road(self.object_list)  # type: ignore[arg-type]
        rows = list(found[start : start + self.per_page + 1])
        page = PeekingPage(rows[: self.per_page], number, self)
        page.more = len(rows) > self.per_page
        return page

    def validate_number(self, number: Any) -> int:
        try:
            whole = int(number)
        except (TypeError, ValueError):
            raise EmptyPage("no number") from None
        if not 1 <= whole <= MAX_PAGE:
            raise EmptyPage("no such page")
        return whole


# Who has read so far types another letter instead.
MAX_PAGE = 50


class OfficeAutocompleteView(AutocompleteJsonView):
    """Django's, over the admin's own queryset (`visible_to`) and search, narrowed by what the form holds."""

    model_admin: Any

    def get_paginator(self, *args: Any, **_kwargs: Any) -> PeekingPaginator:
        return PeekingPaginator(*args[:2])

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        rows = self.model_admin.choices_for(self.request, rows, self.source_field)
        return rows.order_by(*(self.model_admin.ordering or rows.model._meta.ordering or ["pk"]))

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, Any]:
        return {
            "id": str(getattr(obj, to_field_name)),
            "text": str(self.model_admin.option_text(obj)),
        }
