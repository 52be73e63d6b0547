"""What lists are narrowed by. A filter is one or two parameters of the address, and one control in the bar.

A filter never loads a table: few values are a select box, many are found while typing. A value that means
nothing finds nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib.admin import ListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from crm.api.moments import local_day
from crm.backoffice.fields import ReferenceField, ReferenceWidget
from crm.errors import Sentence
from crm.references import referable
from crm.users.models import User

ANY = _("any")


class OfficeFilter(ListFilter):
    """A filter in the bar above a list."""

    parameters: ClassVar[tuple[str, ...]]
    template = "backoffice/filters/choice.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.request = request
        self.model_admin = model_admin
        for name in self.parameters:
            given = params.pop(name, None)
            if given:
                self.used_parameters[name] = str(given[-1]).strip()

    def has_output(self) -> bool:
        # Whoever works in one city need not choose it.
        return not (self.parameters == ("city",) and self.reader.city_id is not None)

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def given(self, name: str) -> str:
        """A parameter's value; '' = not narrowed by it."""
        return str(self.used_parameters.get(name, ""))

    @property
    def value(self) -> str:
        """The value of the first parameter."""
        return self.given(self.parameters[0])

    @property
    def parameter(self) -> str:
        """The name of the first parameter."""
        return self.parameters[0]

    @property
    def active(self) -> bool:
        """Whether the list is narrowed by it."""
        return any(self.given(name) for name in self.parameters)

    @property
    def reader(self) -> User:
        """Who asks."""
        return cast("User", self.request.user)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.narrowed(queryset) if self.active else queryset

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that fit."""
        raise NotImplementedError

    def choices(self, changelist: Any) -> Any:
        return []


class ChoiceFilter(OfficeFilter):
    """One of a few values."""

    options: ClassVar[Callable[[], Iterable[tuple[str, Any]]]]
    condition: ClassVar[Callable[[str], Q]]

    def known(self) -> list[tuple[str, Any]]:
        """Value → label."""
        return list(type(self).options())

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.value not in {value for value, _label in self.known()}:
            return rows.none()
        return rows.filter(type(self).condition(self.value))


def choice_filter(
    parameter: str,
    title: Sentence,
    options: Callable[[], Iterable[tuple[str, Any]]] | Sequence[tuple[str, Any]],
    condition: Callable[[str], Q] | None = None,
) -> type[ChoiceFilter]:
    """A select box: value → label; `condition` when it is not `parameter = value`."""
    listed = options if callable(options) else (lambda: options)
    fits = condition or (lambda value: Q(**{parameter: value}))
    return type(
        "Choice",
        (ChoiceFilter,),
        {
            "title": title,
            "parameters": (parameter,),
            "options": staticmethod(listed),
            "condition": staticmethod(fits),
        },
    )


YES, NO = "yes", "no"


def flag_filter(
    parameter: str,
    title: Sentence,
    condition: Q,
    labels: tuple[Sentence, Sentence] = (_("yes"), _("no")),
) -> type[ChoiceFilter]:
    """Yes or no."""
    return choice_filter(
        parameter,
        title,
        [(YES, labels[0]), (NO, labels[1])],
        lambda value: condition if value == YES else ~condition,
    )


class ReferenceFilter(OfficeFilter):
    """Of one other record, found while typing, among those that the person sees."""

    template = "backoffice/filters/reference.html"
    field_name: ClassVar[str]
    path: ClassVar[str]
    depends_on: ClassVar[str] = ""
    none_label: ClassVar[Sentence] = ""

    NONE: ClassVar[str] = "none"

    @property
    def id(self) -> UUID | None:
        """The record's id; None for what is none."""
        try:
            return UUID(self.value)
        except ValueError:
            return None

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.none_label and self.value == self.NONE:
            return rows.filter(**{f"{self.path}__isnull": True})
        return rows.none() if self.id is None else rows.filter(**{self.path: self.id})

    def control(self) -> Any:
        """The select box."""
        field: Any = self.model_admin.model._meta.get_field(self.field_name)
        remote: Any = self.model_admin.admin_site.get_model_admin(field.related_model)
        rows: Any = field.related_model._default_manager.all()
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(self.reader)
        box = ReferenceField(
            rows,
            current=None,
            text=remote.option_text,
            required=False,
            widget=ReferenceWidget(field, depends_on=self.depends_on, attrs={"data-filter": "1"}),
        )
        box.widget.attrs["aria-label"] = str(self.title)
        return box.widget.render(
            self.parameter,
            self.value if self.id else "",
            {"id": f"filter-{self.parameter}", "data-placeholder": str(ANY)},
        )


def reference_filter(
    parameter: str,
    title: Sentence,
    *,
    field: str,
    depends_on: str = "",
    none_label: Sentence = "",
    path: str = "",
) -> type[ReferenceFilter]:
    """Narrow by a foreign key. none_label: what the choice "without one" is called; '' = there is none."""
    return type(
        "Reference",
        (ReferenceFilter,),
        {
            "title": title,
            "parameters": (parameter,),
            "field_name": field,
            "path": path or f"{field}_id",
            "depends_on": depends_on,
            "none_label": none_label,
        },
    )


class PeriodFilter(OfficeFilter):
    """From a day to a day, both included, in the reader's local time."""

    template = "backoffice/filters/period.html"
    path: ClassVar[str]

    @property
    def first(self) -> str:
        """The first day, as it stands in the address."""
        return self.given(self.parameters[0])

    @property
    def last(self) -> str:
        """The last day."""
        return self.given(self.parameters[1])

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        try:
            first, last = parse_date(self.first), parse_date(self.last)
        except ValueError:
            return rows.none()
        zone = timezone.get_current_timezone_name()
        if (self.first and first is None) or (self.last and last is None):
            return rows.none()
        try:
            if first is not None:
                rows = rows.filter(**{f"{self.path}__gte": local_day(first, zone)[0]})
            if last is not None:
                rows = rows.filter(**{f"{self.path}__lt": local_day(last, zone)[1]})
        except ValueError:
            # At the calendar's ends there is no such moment in UTC.
            return rows.none()
        return rows


def period_filter(title: Sentence, *, path: str, prefix: str) -> type[PeriodFilter]:
    """Two days: `<prefix>_from` and `<prefix>_to`."""
    return type(
        "Period",
        (PeriodFilter,),
        {"title": title, "parameters": (f"{prefix}_from", f"{prefix}_to"), "path": path},
    )


def midnight(date: Any) -> datetime:
    """The beginning of a local day."""
    return timezone.make_aware(datetime.combine(date, time.min))


class DeletedFilter(ChoiceFilter):
    """What is deleted, for administrators; the admin's own queryset has seen to it (`RecordAdmin`)."""

    title = _("Deleted")
    parameters = ("deleted",)

    def known(self) -> list[tuple[str, Any]]:
        return [("1", _("deleted only"))]

    def has_output(self) -> bool:
        return self.reader.is_admin

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows


def referable_to(model: Any, reader: User) -> QuerySet[Any]:
    """The rows that a form of that person may name."""
    return referable(model, reader)
