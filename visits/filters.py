"""What lists of visits can be narrowed by."""

import re
from datetime import timedelta
from typing import Any, ClassVar, cast

import django_filters
from django import forms
from django.db.models import BooleanField, Case, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.api.filters import AnyOfChoices, AnyOfIds, Flag, From, ListFilters, Until
from visits.querysets import VisitQuerySet
from visits.transitions import VisitStatus

MAX_DAYS = 3650
DAYS_AHEAD, MAX_DAYS_AHEAD = 7, 366


def visits(rows: QuerySet[Any]) -> VisitQuerySet:
    """The rows as what they are: filters get them as any rows."""
    return cast("VisitQuerySet", rows)


class SpanField(forms.Field):
    """A span of time: `7d` or `12h`."""

    def to_python(self, value: Any) -> timedelta | None:
        if value in (None, ""):
            return None
        match = re.fullmatch(r"([0-9]{1,4})([dh])", str(value).strip())
        if match is None or int(match[1]) > MAX_DAYS:
            raise forms.ValidationError(_("A span such as 7d or 12h is expected."))
        return timedelta(**{{"d": "days", "h": "hours"}[match[2]]: int(match[1])})


class DueWithin(django_filters.Filter):
    """The call-back is due before that span from now is over: `7d`, `12h`."""

    only_when_given = True

    field_class = SpanField
    openapi: ClassVar[Any] = {"type": "string", "pattern": "^[0-9]{1,4}[dh]$", "example": "7d"}

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else visits(qs).due_by(timezone.now() + value)


class Due(Flag):
    """The call-back is due by now, or not."""

    only_when_given = True

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return qs
        if value and self.parent.form.cleaned_data.get("due_within") is not None:
            # Due by now, or within that span: the span's end decides.
            return qs
        if value:
            return visits(qs).due_by(timezone.now())
        return visits(qs).not_due_by(timezone.now())


class VisitFilters(ListFilters):
    """Filters of visits."""

    object_id = AnyOfIds(field_name="object_id")
    unit_id = AnyOfIds(field_name="unit_id")
    customer_id = AnyOfIds(field_name="customer_id")
    engineer_id = AnyOfIds(field_name="engineer_id")
    status = AnyOfChoices(field_name="status", choices=VisitStatus.values)
    date_from = From(field_name="scheduled_at")
    date_to = Until(field_name="scheduled_at")
    next_action_due = Due(field_name="next_action_due_at")
    due_within = DueWithin()


class DaysAhead(django_filters.Filter):
    """Call-backs due within so many days from now, 7 when left out; `overdue` marks those past their time."""

    field_class = forms.IntegerField
    openapi: ClassVar[Any] = {
        "type": "integer",
        "minimum": 0,
        "maximum": MAX_DAYS_AHEAD,
        "default": DAYS_AHEAD,
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_DAYS_AHEAD, **kwargs)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        now = timezone.now()
        days = DAYS_AHEAD if value is None else value
        late = Case(
            When(next_action_due_at__lt=now, then=Value(value=True)),
            default=Value(value=False),
            output_field=BooleanField(),
        )
        due: QuerySet[Any] = visits(qs).due_by(now + timedelta(days=days)).annotate(overdue=late)
        return due


class OverdueToo(Flag):
    """Whether those past their time are listed too; they are when left out."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs.filter(next_action_due_at__gte=timezone.now()) if value is False else qs


class ReminderFilters(VisitFilters):
    """Filters of call-backs."""

    days_ahead = DaysAhead()
    overdue = OverdueToo(field_name="next_action_due_at")
