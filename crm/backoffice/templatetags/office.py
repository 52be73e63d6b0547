"""What templates of the back office say about moments and values."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import formats

from crm.backoffice import shown

register = template.Library()


@register.filter
def when(value: datetime | None) -> Any:
    """A moment in local time, in words where there are some."""
    return shown.when(value)


@register.filter
def due(value: datetime | None) -> Any:
    """A promised moment; late ones in red."""
    return shown.due(value)


@register.filter
def phone(value: str | None) -> Any:
    """A number to tap."""
    return shown.phone(value)


@register.filter
def plainly(field: Any) -> str:
    """A JSON column of a form that is only read, in words instead of brackets."""
    if not field.resolved_field:
        return shown.NOTHING
    column, _name, value = field.resolved_field
    words = dict(field.model_admin.word_fields.get(column.name) or {})
    if isinstance(value, list):
        value = [words.get(one, one) for one in value]
    return shown.plain_value(column, value) or shown.NOTHING


@register.filter
def figure(value: int) -> str:
    """A number that people read: «12 345», «12,345»."""
    return str(formats.number_format(value, use_l10n=True, force_grouping=True))
