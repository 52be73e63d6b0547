"""Filters of lists: `filters[field]=v` and plain `field=v`, comma = any of, ranges, search; nothing unknown.

Each app declares a `ListFilters` subclass; its filters also describe the parameters in the schema.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.request import Request

from crm.api.moments import parse_moment
from crm.db import holds_any
from crm.errors import Invalid
from crm.searching import matching

MAX_LIST = 200
# What every list takes besides its filters.
PAGING = ("page", "limit", "size", "cursor", "sort", "count", "deleted")
SEARCH = ("q", "search")
MAX_PARAMETER = 8000


class ChoiceField(forms.Field):
    """Comma-separated words out of a list."""

    def __init__(self, *, choices: Iterable[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known = list(choices)

    def to_python(self, value: Any) -> list[str] | None:
        words = split(value)
        unknown = [word for word in words if word not in self.known]
        if unknown:
            raise forms.ValidationError(
                _("Unknown value “%(value)s”. Known values: %(known)s.")
                % {"value": ", ".join(unknown), "known": ", ".join(self.known)}
            )
        return words or None


class UUIDListField(forms.Field):
    """Comma-separated ids."""

    def to_python(self, value: Any) -> list[Any] | None:
        ids = [forms.UUIDField().to_python(word) for word in split(value)]
        return ids or None


class WordListField(forms.Field):
    """Comma-separated words."""

    def to_python(self, value: Any) -> list[str] | None:
        return split(value) or None


class BooleanWordField(forms.Field):
    """true or false."""

    def to_python(self, value: Any) -> bool | None:
        if value in (None, ""):
            return None
        word = str(value).strip().lower()
        if word not in {"true", "false", "1", "0"}:
            raise forms.ValidationError(
                _("Unknown value “%(value)s”. Known values: %(known)s.")
                % {"value": value, "known": "true, false"}
            )
        return word in {"true", "1"}


class MomentParameterField(forms.Field):
    """A date (the whole local day) or a datetime."""

    def __init__(self, *, end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.end = end

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        try:
            return parse_moment(str(value), end=self.end)
        except ValueError:
            raise forms.ValidationError(
                _("“%(value)s” is not a date (YYYY-MM-DD) or an ISO 8601 date and time.")
                % {"value": value}
            ) from None


def split(value: Any) -> list[str]:
    """The words of a comma-separated parameter."""
    words = [word.strip() for word in str(value or "").split(",")]
    words = [word for word in words if word]
    if len(words) > MAX_LIST:
        raise forms.ValidationError(
            _("At most %(limit)s values are allowed.") % {"limit": MAX_LIST}
        )
    return words


def says(declared: django_filters.Filter, promise: str) -> bool:
    """Whether the filter's own class promises something.

    What it inherits does not count: a new kind of filter is not believed before it says so itself.

    timeless: the same value makes the same SQL at any time. only_when_given: its absence means nothing.
    """
    return bool(vars(type(declared)).get(promise))


class AnyOf(django_filters.Filter):
    """A column is any of the values. kind: "string", "uuid" for the schema."""

    timeless = only_when_given = True

    field_class: type[forms.Field] = WordListField
    kind = "string"

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else self.get_method(qs)(**{f"{self.field_name}__in": value})


class AnyOfIds(AnyOf):
    """A reference is any of the ids."""

    timeless = only_when_given = True

    field_class = UUIDListField
    kind = "uuid"


class AnyOfChoices(AnyOf):
    """A column is any of the known codes."""

    timeless = only_when_given = True

    field_class = ChoiceField


class Flag(django_filters.Filter):
    """A column is true or false."""

    timeless = only_when_given = True

    field_class = BooleanWordField
    kind = "boolean"

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else self.get_method(qs)(**{self.field_name: value})


class From(django_filters.Filter):
    """At or after a moment."""

    timeless = only_when_given = True

    field_class = MomentParameterField
    kind = "moment"

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else qs.filter(**{f"{self.field_name}__gte": value})


class Until(From):
    """At or before a moment; a date includes its whole day."""

    timeless = only_when_given = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, end=True, **kwargs)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else qs.filter(**{f"{self.field_name}__lte": value})


class Whole(django_filters.Filter):
    """A whole number compared with `lookup_expr`."""

    timeless = only_when_given = True

    field_class = forms.IntegerField
    kind = "integer"

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return (
            qs if value is None else qs.filter(**{f"{self.field_name}__{self.lookup_expr}": value})
        )


class Contains(AnyOf):
    """A JSON list of words contains any of the values."""

    timeless = only_when_given = True

    def __init__(self, *args: Any, choices: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.known = list(choices) if choices is not None else None
        if self.known is not None:
            kwargs["choices"] = self.known
            self.field_class = ChoiceField
        super().__init__(*args, **kwargs)

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else qs.filter(holds_any(self.field_name, value))


class ListFilters(django_filters.FilterSet):
    """The filters of one list. Subclasses add theirs; `search_field` names the searched column."""

    updated_from = From(field_name="updated_at", label=gettext_lazy("Changed at or after"))
    updated_to = Until(field_name="updated_at", label=gettext_lazy("Changed at or before"))

    searched = True
    # The library's metaclass fills it in.
    base_filters: Mapping[str, django_filters.Filter]

    def __init__(self, data: Mapping[str, str], **rest: Any) -> None:
        # Without those that have nothing to do: copying all filters and their fields takes a millisecond.
        self.base_filters = {
            name: declared
            for name, declared in type(self).base_filters.items()
            if data.get(name) or declared.extra["required"] or not says(declared, "only_when_given")
        }
        super().__init__(data=data, **rest)

    @property
    def reader(self) -> Any:
        """The user who reads the list."""
        return self.request.user

    def search(self, queryset: QuerySet[Any], q: str) -> QuerySet[Any]:
        """Rows in which every word of `q` begins a word."""
        return queryset.filter(self.condition(q))

    def condition(self, q: str) -> Q:
        """The condition of `search`; apps widen it (a customer by a whole phone number)."""
        return matching("search_text", q, private=self.reader.sees_personal_data)


def parameters_of(query: QueryDict | Mapping[str, Any]) -> dict[str, str]:
    """Parameter → value: `filters[x]` is `x`, a repeated one is joined by commas.

    Raises Invalid when one is given both ways, or holds what no text column can (NUL).
    """
    found: dict[str, str] = {}
    for raw_name in query:
        values = query.getlist(raw_name) if isinstance(query, QueryDict) else [str(query[raw_name])]
        name = (
            raw_name[8:-1]
            if raw_name.startswith("filters[") and raw_name.endswith("]")
            else raw_name
        )
        value = ",".join(values)
        if "\x00" in value or len(value) > MAX_PARAMETER:
            raise Invalid(
                {name.replace("\x00", ""): _("The value is too long or contains a NUL character.")}
            )
        if name in found and found[name] != value:
            raise Invalid({name: _("The parameter is given twice, with different values.")})
        found[name] = value
    return found


def refuse_unknown(parameters: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise Invalid for parameters that the list does not know; the sentence lists those it does."""
    listed = sorted(known)
    unknown = [name for name in parameters if name not in listed]
    if unknown:
        sentence = _("Unknown parameter. Known parameters: %(known)s.") % {
            "known": ", ".join(listed)
        }
        raise Invalid(dict.fromkeys(unknown, sentence))


def filtered(
    queryset: QuerySet[Any],
    parameters: Mapping[str, str],
    filters: type[ListFilters],
    request: Request | Any,
) -> QuerySet[Any]:
    """The rows that the parameters ask for. Raises Invalid with a sentence for each bad value."""
    paging = [n for n in PAGING if n != "deleted" or hasattr(queryset.model, "deleted_at")]
    refuse_unknown(
        parameters, [*filters.base_filters, *paging, *(SEARCH if filters.searched else ())]
    )
    chosen = filters(data=dict(parameters), queryset=queryset, request=request)
    if chosen.filters and not chosen.form.is_valid():
        raise Invalid(
            {name: [str(e) for e in errors] for name, errors in chosen.form.errors.items()}
        )
    rows = chosen.qs if chosen.filters else queryset
    q = parameters.get("q") or parameters.get("search")
    return chosen.search(rows, q) if q and filters.searched else rows
