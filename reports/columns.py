"""What a report can show: the columns of each entity, in the order in which they are offered.

A column's key is the API's name of the field, so that whoever knows the list knows the report; where the list
nests a summary (`city`, `object`, `engineer`), the column of that key says it in words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.db.models import Case, F, Model, Q, When
from django.db.models import Field as ModelField
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Customer, Interest
from crm.errors import Invalid
from objects.models import Object, Unit
from visits.models import Visit

Label = str | Promise


class Kind(StrEnum):
    """What a column holds, and so how it is written, aligned and how wide it is."""

    TEXT = "text"
    NOTE = "note"
    ID = "id"
    NUMBER = "number"
    MONEY = "money"
    DEGREES = "degrees"
    MOMENT = "moment"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"
    PHONE = "phone"
    CHOICE = "choice"
    LIST = "list"
    ATTRIBUTES = "attributes"


@dataclass(frozen=True)
class Column:
    """One column of a report.

    path: the ORM's way to the value. choices: code → label, for choices and lists. default: shown when
    nobody chooses. alive: the relation on the way whose deleted rows count as absent, as in the lists.
    """

    key: str
    label: Label
    kind: Kind
    path: str
    choices: Mapping[str, Label] = field(default_factory=dict)
    default: bool = False
    alive: str = ""

    @property
    def personal(self) -> bool:
        """Whether it is masked for those who see personal data masked."""
        return self.kind is Kind.PHONE

    def expression(self) -> F | Case:
        """The value, for a queryset of its entity."""
        if not self.alive:
            return F(self.path)
        return Case(When(Q(**{f"{self.alive}__deleted_at__isnull": True}), then=F(self.path)))


_KINDS: Final[Mapping[str, Kind]] = {
    "TextField": Kind.NOTE,
    "UUIDField": Kind.ID,
    "ForeignKey": Kind.ID,
    "FloatField": Kind.DEGREES,
    "DecimalField": Kind.MONEY,
    "DateTimeField": Kind.MOMENT,
    "BooleanField": Kind.BOOLEAN,
    "IntegerField": Kind.NUMBER,
    "PositiveIntegerField": Kind.NUMBER,
    "PositiveSmallIntegerField": Kind.NUMBER,
    "JSONField": Kind.LIST,
}
_INTERESTS: Final = dict(Interest.choices)


def _field_at(model: type[Model], path: str) -> "ModelField[Any, Any]":
    found: Any = None
    current: Any = model
    for part in path.split("__"):
        found = current._meta.get_field(part)
        current = found.related_model
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Of:
    """Makes columns from the fields of one model: kind, choices and label are known there."""

    model: type[Model]

    def __call__(
        self,
        key: str,
        path: str = "",
        *,
        label: Label = "",
        kind: Kind | None = None,
        choices: Mapping[str, Label] | None = None,
        default: bool = False,
        alive: str = "",
    ) -> Column:
        path = path or key
        found = _field_at(self.model, path)
        known = dict(choices or found.flatchoices or {})
        said: Any = label or found.verbose_name
        return Column(
            key=key,
            label=capfirst(said),
            kind=kind
            or (Kind.CHOICE if found.choices else _KINDS.get(found.get_internal_type(), Kind.TEXT)),
            path=path,
            choices=known,
            default=default,
            alive=alive,
        )

    def shown(self, key: str, path: str = "", **told: Any) -> Column:
        """A column that is there unless others are chosen."""
        return self(key, path, default=True, **told)


def _record(of: _Of) -> Iterator[Column]:
    """What every record has."""
    yield of("created_at")
    yield of("version")
    yield of("id", label=gettext_lazy("ID"))


def _objects(of: _Of) -> Iterator[Column]:
    yield of.shown("address")
    yield of.shown("type")
    yield of.shown("city", "city__name", label=gettext_lazy("city"))
    yield of.shown("district", "district__name", label=gettext_lazy("district"))
    yield of.shown("status")
    yield of.shown(
        "responsible_user", "responsible_user__full_name", label=gettext_lazy("responsible person")
    )
    yield of.shown("contact_name")
    yield of.shown("contact_phone", kind=Kind.PHONE)
    yield of.shown("visits_count", label=gettext_lazy("visits"))
    yield of.shown("last_visit_at")
    yield of.shown("tags")
    yield of.shown("updated_at")
    yield of("gps_lat")
    yield of("gps_lng")
    yield from _record(of)
    yield of("city_id", "city", label=gettext_lazy("City ID"))
    yield of("district_id", "district", label=gettext_lazy("District ID"))
    yield of("responsible_user_id", "responsible_user", label=gettext_lazy("Responsible ID"))
    yield of("created_by", label=gettext_lazy("Created by (ID)"))
    yield of("updated_by", label=gettext_lazy("Changed by (ID)"))


def _of_object(of: _Of) -> Iterator[Column]:
    """Where it is, for what hangs on an object."""
    yield of.shown("object", "object__address", label=gettext_lazy("address"))
    yield of.shown("city", "object__city__name", label=gettext_lazy("city"))
    yield of.shown("district", "object__district__name", label=gettext_lazy("district"))


def _more_of_object(of: _Of) -> Iterator[Column]:
    yield of("object_type", "object__type", label=gettext_lazy("type of object"))
    yield of("object_status", "object__status", label=gettext_lazy("status of object"))
    yield of("object_id", "object", label=gettext_lazy("Object ID"))


def _units(of: _Of) -> Iterator[Column]:
    yield from _of_object(of)
    yield of.shown("unit_number", label=gettext_lazy("unit"))
    yield of.shown("entrance")
    yield of.shown("floor")
    yield of.shown("attributes", kind=Kind.ATTRIBUTES)
    yield of.shown("updated_at")
    yield from _record(of)
    yield from _more_of_object(of)


def _customers(of: _Of) -> Iterator[Column]:
    yield of.shown("full_name", label=gettext_lazy("customer"))
    yield of.shown("phone", kind=Kind.PHONE)
    yield from _of_object(of)
    yield of.shown("unit", "unit__unit_number", label=gettext_lazy("unit"), alive="unit")
    yield of.shown("interests", choices=_INTERESTS)
    yield of.shown("current_provider")
    yield of.shown("provider_rating")
    yield of.shown("satisfied")
    yield of.shown("desired_price")
    yield of.shown("preferred_call_time", label=gettext_lazy("best time to call"), kind=Kind.TIME)
    yield of.shown("gdpr_consent")
    yield of.shown("last_interaction_at")
    yield of("notes")
    yield of("portrait_text")
    yield of("updated_at")
    yield from _record(of)
    yield from _more_of_object(of)
    yield of("unit_id", "unit", label=gettext_lazy("Unit ID"))


def _visits(of: _Of) -> Iterator[Column]:
    yield of.shown("scheduled_at")
    yield of.shown("status")
    yield from _of_object(of)
    yield of.shown("unit", "unit__unit_number", label=gettext_lazy("unit"), alive="unit")
    yield of.shown(
        "customer", "customer__full_name", label=gettext_lazy("customer"), alive="customer"
    )
    yield of.shown(
        "customer_phone",
        "customer__phone",
        label=gettext_lazy("customer’s phone"),
        kind=Kind.PHONE,
        alive="customer",
    )
    yield of.shown("engineer", "engineer__full_name", label=gettext_lazy("engineer"))
    yield of.shown("finished_at")
    yield of.shown("interests", choices=_INTERESTS)
    yield of.shown("outcome_text")
    yield of.shown("next_action_due_at")
    yield of("started_at")
    yield of("geo_captured_lat")
    yield of("geo_captured_lng")
    yield of("updated_at")
    yield from _record(of)
    yield from _more_of_object(of)
    yield of("unit_id", "unit", label=gettext_lazy("Unit ID"))
    yield of("customer_id", "customer", label=gettext_lazy("Customer ID"))
    yield of("engineer_id", "engineer", label=gettext_lazy("Engineer ID"))


_CATALOGUES: Final[Mapping[str, tuple[Column, ...]]] = {
    "objects": tuple(_objects(_Of(Object))),
    "visits": tuple(_visits(_Of(Visit))),
    "customers": tuple(_customers(_Of(Customer))),
    "units": tuple(_units(_Of(Unit))),
}
# What a sheet of each entity is called.
TITLES: Final[Mapping[str, Label]] = {
    "objects": gettext_lazy("Objects"),
    "visits": gettext_lazy("Visits"),
    "customers": gettext_lazy("Customers"),
    "units": gettext_lazy("Units"),
}
ENTITIES: Final = tuple(_CATALOGUES)


def catalogue(entity: str) -> list[Column]:
    """Every column of the entity, the usual ones first. Raises Invalid for an unknown entity."""
    if entity not in _CATALOGUES:
        raise Invalid({"entity": _unknown(entity, ENTITIES)})
    return list(_CATALOGUES[entity])


def chosen(entity: str, keys: Sequence[str] | None) -> list[Column]:
    """The columns of those keys in that order, each once; the usual ones for None or no keys at all.

    Raises Invalid that names the known columns.
    """
    known = {column.key: column for column in catalogue(entity)}
    if not keys:
        return [column for column in known.values() if column.default]
    strangers = [str(key) for key in keys if not isinstance(key, str) or key not in known]
    if strangers:
        raise Invalid({"columns": _unknown(", ".join(strangers), known)})
    return [known[key] for key in dict.fromkeys(keys)]


def _unknown(value: str, known: Iterable[str]) -> str:
    return _("Unknown value “%(value)s”. Known values: %(known)s.") % {
        "value": value,
        "known": ", ".join(known),
    }
