"""What the pages of visits ask for."""

from typing import Any

from django import template

from visits.models import Visit
from visits.moves_page import buttons_of

register = template.Library()


@register.simple_tag
def moves_of(visit: Visit) -> list[Any]:
    """The moves that a visit can make with one click."""
    return buttons_of(visit)


@register.simple_tag
def quick_times() -> list[Any]:
    """The stretches of time above the list: value, title."""
    from visits.admin import TIMES  # noqa: PLC0415 - the site is made before its templates are read

    return TIMES
