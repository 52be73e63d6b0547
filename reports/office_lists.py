"""The back office's lists as reports: what a list is narrowed by there, in the words of the API's list.

What the API has no word for stays under the office's own name (`office.unvisited`), and is applied by the
very filter of the office's list. Days are turned into moments here: a worker does not know whose today it is.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from clients.models import Customer
from crm.backoffice.filters import OfficeFilter, midnight
from crm.errors import Invalid
from crm.searching import matching
from crm.users.models import User
from objects.models import Object, Unit
from reports.models import ReportEntity
from visits.models import Visit
from visits.transitions import VisitStatus

MODELS: Final[Mapping[str, Any]] = {
    ReportEntity.OBJECTS: Object,
    ReportEntity.UNITS: Unit,
    ReportEntity.CUSTOMERS: Customer,
    ReportEntity.VISITS: Visit,
}
ENTITIES: Final[Mapping[Any, str]] = {model: str(entity) for entity, model in MODELS.items()}
OFFICE: Final = "office."
# The list's own, which narrow nothing.
PLACE: Final = frozenset({"p", "o", "e", "all"})
NOBODY: Final = "none"

# The office's parameter → the API's, where both mean the same for every value.
SAME: Final[Mapping[str, Mapping[str, str]]] = {
    ReportEntity.OBJECTS: {
        "city": "city_id",
        "district": "district_id",
        "status": "status",
        "type": "type",
        "q": "q",
    },
    ReportEntity.UNITS: {"object": "object_id"},
    ReportEntity.CUSTOMERS: {"object": "object_id", "interest": "interests"},
    ReportEntity.VISITS: {
        "object": "object_id",
        "engineer": "engineer_id",
        "status": "status",
        "q": "q",
    },
}
# Parameter and value → the API's parameters.
ALIKE: Final[Mapping[tuple[str, str, str], Mapping[str, str]]] = {
    (ReportEntity.OBJECTS, "located", "yes"): {"has_gps": "true"},
    (ReportEntity.OBJECTS, "located", "no"): {"has_gps": "false"},
    (ReportEntity.CUSTOMERS, "satisfied", "yes"): {"satisfied": "true"},
    (ReportEntity.CUSTOMERS, "consent", "yes"): {"gdpr_consent": "true"},
    (ReportEntity.CUSTOMERS, "consent", "no"): {"gdpr_consent": "false"},
    (ReportEntity.VISITS, "callback", "overdue"): {"next_action_due": "true"},
    **{
        (ReportEntity.CUSTOMERS, "rating", str(n)): {"rating_min": str(n), "rating_max": str(n)}
        for n in range(1, 6)
    },
}
DAYS: Final = ("when", "day_from", "day_to")


def model_admin_of(entity: str) -> Any:
    """The pages of the entity's list."""
    return admin.site.get_model_admin(MODELS[entity])


def translated(entity: str, asked: QueryDict, reader: User) -> dict[str, str]:
    """The list's parameters as a report's. Raises Invalid for what the list does not know."""
    given = asked_of(entity, asked, reader)
    found: dict[str, str] = {}
    if entity == ReportEntity.VISITS:
        found |= days_of(given)
        for name in DAYS:
            given.pop(name, None)
    for name, value in given.items():
        if name == "deleted":
            found["deleted"] = "true"
        elif name == "responsible" and value != NOBODY:
            found["responsible_user_id"] = value
        elif (entity, name, value) in ALIKE:
            found |= ALIKE[entity, name, value]
        elif name in SAME[entity]:
            found[SAME[entity][name]] = value
        else:
            found[f"{OFFICE}{name}"] = value
    return found


def asked_of(entity: str, asked: QueryDict, reader: User) -> dict[str, str]:
    """What the list really goes by of an address. Raises Invalid for what it does not know."""
    given = {name: str(asked[name]).strip() for name in asked if name not in PLACE}
    kinds = filters_of(entity, reader)
    unknown = sorted(given.keys() - {"q", *kinds})
    if unknown:
        raise Invalid(dict.fromkeys(unknown, _("This list has no such filter.")))

    def counts(name: str, value: str) -> bool:
        # A filter that is not offered to that person (the city, to people of one) does not narrow.
        return bool(value) and (name == "q" or filter_of(entity, name, value, reader).has_output())

    return {name: value for name, value in given.items() if counts(name, value)}


def days_of(given: Mapping[str, str]) -> dict[str, str]:
    """`when` and the days of visits as moments. Raises Invalid."""
    first: list[datetime] = []
    beyond: list[datetime] = []
    found: dict[str, str] = {}
    today = timezone.localdate()
    when = given.get("when", "")
    if when == "missed":
        if given.get("status", VisitStatus.PLANNED) != VisitStatus.PLANNED:
            raise Invalid({}, _("The list is empty: there is nothing to export."))
        beyond.append(midnight(today))
        found["status"] = VisitStatus.PLANNED.value
    elif when:
        start = today + timedelta(days=1 if when == "tomorrow" else 0)
        first.append(midnight(start))
        beyond.append(midnight(start + timedelta(days=7 if when == "week" else 1)))
    first += [midnight(day) for day in days_in(given, "day_from")]
    beyond += [midnight(day + timedelta(days=1)) for day in days_in(given, "day_to")]
    if first:
        found["date_from"] = max(first).isoformat()
    if beyond:
        # The API's bound belongs to the stretch.
        found["date_to"] = (min(beyond) - timedelta(microseconds=1)).isoformat()
    return found


def days_in(given: Mapping[str, str], name: str) -> list[Any]:
    """The day of a parameter, if there is one. Raises Invalid."""
    if not given.get(name):
        return []
    try:
        day = parse_date(given[name])
    except ValueError:
        day = None
    if day is None:
        raise Invalid({name: _("This is not a day.")})
    return [day]


def filters_of(entity: str, reader: User) -> dict[str, type[OfficeFilter]]:
    """Parameter → the filter of the office's list."""
    kinds: Iterable[Any] = model_admin_of(entity).get_list_filter(question(reader))
    return {name: one for one in kinds for name in one.parameters}


def filter_of(entity: str, name: str, value: str, reader: User) -> OfficeFilter:
    """The office's filter with that value. Raises KeyError for a parameter that no filter has."""
    model_admin = model_admin_of(entity)
    kind = filters_of(entity, reader)[name]
    return kind(question(reader), {name: [value]}, model_admin.model, model_admin)


def question(reader: User) -> HttpRequest:
    """What a filter asks for: who reads."""
    request = HttpRequest()
    request.user = reader
    return request


def narrowed(
    entity: str, rows: QuerySet[Any], parameters: Mapping[str, str], reader: User
) -> QuerySet[Any]:
    """The rows under those parameters that only the office knows."""
    own = {
        name.removeprefix(OFFICE): value
        for name, value in parameters.items()
        if name.startswith(OFFICE)
    }
    if not own:
        return rows
    model_admin = model_admin_of(entity)
    kinds = filters_of(entity, reader)
    for name, value in own.items():
        if name == "q":
            column = model_admin.search_column
            rows = rows.filter(matching(column, value, private=reader.sees_personal_data))
        elif name in kinds:
            rows = filter_of(entity, name, value, reader).narrowed(rows)
    return rows


def sort_of(rows: QuerySet[Any], known: Mapping[str, str]) -> str:
    """The list's order as a report's `sort`, as far as the API's list knows it."""
    names = {path: name for name, path in known.items()}
    for one in rows.query.order_by:
        if isinstance(one, str):
            descending, path = one.startswith("-"), one.lstrip("-")
        else:
            descending = isinstance(one, OrderBy) and one.descending
            path = getattr(getattr(one, "expression", None), "name", "")
        if path in names:
            return f"{'-' if descending else ''}{names[path]}"
    return ""
