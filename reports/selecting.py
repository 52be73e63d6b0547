"""What a report is asked to show: checked and read by the very code of the list that it is a report of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clients.views import CustomerViewSet
from crm.api.filters import SEARCH, parameters_of, refuse_unknown
from crm.api.viewsets import RecordViewSet
from crm.errors import Invalid, Sentence
from crm.users.models import User
from objects.views import ObjectViewSet, UnitViewSet
from reports.columns import Column, chosen
from reports.models import ReportEntity, ReportJob
from reports.office_lists import OFFICE, narrowed
from visits.views import VisitViewSet

LISTS: Final[Mapping[str, type[RecordViewSet]]] = {
    ReportEntity.OBJECTS: ObjectViewSet,
    ReportEntity.UNITS: UnitViewSet,
    ReportEntity.CUSTOMERS: CustomerViewSet,
    ReportEntity.VISITS: VisitViewSet,
}
# Beside the filters. Pages and cursors mean nothing here, and the order has a field of its own.
ALSO_KNOWN: Final = "deleted"
DIRECTIONS: Final = {"asc": "", "desc": "-"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows and columns of one entity. parameters, sort: as in the list's query; "" is its own order."""

    entity: str
    parameters: Mapping[str, str]
    sort: str
    columns: tuple[str, ...]

    @classmethod
    def of(
        cls, *, entity: str, filters: Mapping[str, Any] | None, sort: Any, columns: Any
    ) -> "Selection":
        """What a request's body asks for. Raises Invalid for what can be told without looking at rows."""
        keys = tuple(column.key for column in chosen(entity, columns))
        return cls(entity, parameters_in(filters or {}, entity), sort_in(sort), keys)

    @classmethod
    def of_job(cls, job: ReportJob) -> "Selection":
        """What a job was asked for."""
        return cls(job.entity, dict(job.filters), job.sort, tuple(job.columns))

    def rows(self, user: User) -> QuerySet[Any]:
        """The rows that this person sees of it, in order. Raises Invalid, and Forbidden, as the list does."""
        api = {name: one for name, one in self.parameters.items() if not name.startswith(OFFICE)}
        asked = {**api, **({"sort": self.sort} if self.sort else {})}
        try:
            rows = LISTS[self.entity].asked_by(user, asked).in_order()
            return narrowed(self.entity, rows, self.parameters, user)
        except Invalid as error:
            raise Invalid(renamed(error.fields, self.parameters)) from error

    def shown(self) -> list[Column]:
        """Its columns."""
        return chosen(self.entity, list(self.columns))

    def fingerprint(self, user: User, *more: object) -> str:
        """The same for the same thing asked by the same person with the same sight."""
        asked = [
            str(user.pk), sight_of(user), self.entity, sorted(self.parameters.items()),
            self.sort, self.columns, *map(str, more),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def sight_of(user: User) -> str:
    """What a person's sight follows from, beside single objects: role and territory."""
    return f"{user.role}:{user.city_id or ''}:{user.district_id or ''}"


def parameters_in(filters: Mapping[str, Any], entity: str) -> dict[str, str]:
    """The filters as a list's parameters: a JSON list means any of, true and numbers are as in a query.

    Raises Invalid for unknown names, and for values that no parameter can have.
    """
    texts = {}
    for name, value in filters.items():
        text = text_of(value)
        if text is None:
            raise Invalid(
                {f"filters.{name}": _("A text, a number, true, false or a list is expected.")}
            )
        if text:
            texts[name] = text
    try:
        parameters = parameters_of(texts)
        view = LISTS[entity]
        refuse_unknown(parameters, [*view.filters.base_filters, *SEARCH, ALSO_KNOWN])
    except Invalid as error:
        raise Invalid({f"filters.{name}": said for name, said in error.fields.items()}) from error
    return parameters


def text_of(value: Any) -> str | None:
    """A JSON value as it stands in a query; "" for none at all, None for what cannot stand there."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return value
        case int() | float():
            return str(value)
        case list():
            texts = [text_of(one) for one in value if not isinstance(one, list)]
            if len(texts) < len(value) or None in texts:
                return None
            return ",".join(filter(None, texts))
    return None


def sort_in(sort: Any) -> str:
    """{"updated_at": "desc"}, or "-updated_at,address", as a list's `sort`. Raises Invalid."""
    match sort:
        case None:
            return ""
        case str():
            return ",".join(word.strip() for word in sort.split(",") if word.strip())
        case dict():
            known = _("“asc” or “desc” is expected.")
            words = []
            for name, direction in sort.items():
                sign = DIRECTIONS.get(direction.lower()) if isinstance(direction, str) else None
                if sign is None:
                    raise Invalid({f"sort.{name}": known})
                words.append(f"{sign}{name}")
            return ",".join(words)
    raise Invalid({"sort": _("A text or an object is expected.")})


def sort_shown(sort: str) -> dict[str, str]:
    """The same, as the API answers it: field → asc or desc, in order of weight."""
    words = filter(None, sort.split(","))
    return {word.lstrip("+-"): "desc" if word.startswith("-") else "asc" for word in words}


def renamed(
    fields: Mapping[str, list[Sentence]], parameters: Mapping[str, str]
) -> dict[str, list[Sentence]]:
    """A list's refusals in the names of the report's body."""
    return {
        f"filters.{name}" if name in parameters else name: said for name, said in fields.items()
    }
