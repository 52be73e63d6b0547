"""What the contract must know of each kind of record: how to make one, and what may be edited."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from clients.models import Customer
from clients.views import CustomerViewSet
from crm.api.viewsets import RecordViewSet
from crm.ids import uuid7
from objects.models import Object, Unit
from objects.views import ObjectViewSet, UnitViewSet
from tests.cast import Cast
from visits.models import Visit
from visits.views import VisitViewSet

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """One kind of record.

    edit: a field that every role edits, and two values. other: another such field and a value.
    filters: parameter → (value, unknown value or None where every word is one), for rows of `spread`.
    nested: summary → whether it may be null.
    """

    name: str
    viewset: type[RecordViewSet]
    edit: tuple[str, Any, Any]
    other: tuple[str, Any]
    filters: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    nested: dict[str, bool] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The list's path."""
        return f"/api/v1/{self.name}"

    def make(self, cast: Cast, parent: Object | None = None) -> Any:
        """A record that Anna, Sergei and Ivan see, and nobody else of the cast."""
        parent = parent or cast.object()
        match self.name:
            case "units":
                return cast.unit(parent)
            case "customers":
                return cast.customer(parent)
            case "visits":
                return cast.visit(parent, cast.ivan)
        return parent

    def body(self, cast: Cast) -> dict[str, Any]:
        """What creates such a record."""
        if self.name == "objects":
            return {
                "type": "CAFE",
                "address": "ул. Новая, д. 1",
                "city_id": str(cast.moscow.pk),
                "district_id": str(cast.centre.pk),
            }
        body = {"object_id": str(cast.object().pk)}
        return {**body, "unit_number": "77"} if self.name == "units" else body

    def spread(self, cast: Cast, count: int = 9) -> list[Any]:
        """Rows that Ivan sees, whose sort keys differ, tie, and are missing."""
        return [self.row(cast, i) for i in range(count)]

    def row(self, cast: Cast, i: int) -> Any:
        """The `i`th row of `spread`. Ids are mixed up, so that they follow no other order."""
        third, word = i % 3, ["Яблоко", "яблоко", None, "Ёлка", "abc", None][i % 6]
        pk = {"id": mixed_id(i)}
        if self.name == "objects":
            return cast.object(
                **pk,
                address=f"ул. {word or 'Без'} {third}",
                type=["MKD", "CAFE", "CAFE"][third],
                status=["NEW", "DONE", "NEW"][third],
                contact_name=word,
                tags=[f"t{third}"],
                contact_phone=None if third else f"+7999000{i:04d}",
                gps_lat=55.7 if third else None,
                gps_lng=37.6 if third else None,
                responsible_user=cast.ivan if third else None,
            )
        parent = cast.object(address=f"ул. Ветка {third}")
        if self.name == "units":
            return cast.unit(
                parent, **pk, floor=None if third == 1 else third, entrance=third or None
            )
        if self.name == "customers":
            return cast.customer(
                parent,
                **pk,
                full_name=word,
                phone=None if third else f"+7999000{i:04d}",
                satisfied=[None, True, False][third],
                provider_rating=third or None,
                desired_price=[None, "9.90", "10.10"][third],
                interests=["TV", "CCTV"][:third],
                gdpr_consent=bool(third),
            )
        moment = None if third == 1 else NOON + timedelta(hours=third)
        values: dict[str, Any] = {"scheduled_at": moment, "next_action_due_at": moment}
        if third == 2:
            values |= {
                "status": "DONE",
                "outcome_text": "Да",
                "started_at": NOON,
                "finished_at": NOON,
            }
        return cast.visit(parent, cast.ivan, **pk, **values)


def mixed_id(i: int) -> UUID:
    """An id out of order."""
    return UUID(f"{(i * 7) % 10:08x}{str(uuid7())[8:]}")


OBJECTS = Kind(
    "objects",
    ObjectViewSet,
    edit=("contact_name", "Вахтёр", "Консьерж"),
    other=("tags", ["а"]),
    filters={
        "type": ("CAFE", "CASTLE"),
        "status": ("DONE", "LOST"),
        "tags": ("t1", None),
        "has_gps": ("true", "maybe"),
        "city_id": ("moscow", "x"),
        "district_id": ("centre", "x"),
        "responsible_user_id": ("ivan", "x"),
    },
    nested={"city": False, "district": True, "responsible_user": True},
)
UNITS = Kind(
    "units",
    UnitViewSet,
    edit=("floor", 3, 4),
    other=("entrance", 2),
    filters={"object_id": ("parent", "x"), "unit_number": ("number", None)},
    nested={"object": False},
)
CUSTOMERS = Kind(
    "customers",
    CustomerViewSet,
    edit=("notes", "Кот", "Пёс"),
    other=("provider_rating", 5),
    filters={
        "object_id": ("parent", "x"),
        "unit_id": ("none", "x"),
        "satisfied": ("true", "maybe"),
        "gdpr_consent": ("false", "maybe"),
        "interests": ("TV", "PIZZA"),
        "rating_min": ("2", "x"),
        "rating_max": ("1", "x"),
    },
    nested={"object": False, "unit": True},
)
VISITS = Kind(
    "visits",
    VisitViewSet,
    edit=("outcome_text", "Никого", "Завтра"),
    other=("interests", ["TV"]),
    filters={
        "object_id": ("parent", "x"),
        "customer_id": ("none", "x"),
        "unit_id": ("none", "x"),
        "engineer_id": ("ivan", "x"),
        "status": ("DONE", "LOST"),
        "date_from": ("2026-03-10", "вчера"),
        "date_to": ("2026-03-10", "2026-13-01"),
        "next_action_due": ("true", "maybe"),
        "due_within": ("7d", "soon"),
    },
    nested={"object": False, "unit": True, "customer": True, "engineer": False},
)
KINDS = [OBJECTS, UNITS, CUSTOMERS, VISITS]
MODELS: dict[str, Any] = {"objects": Object, "units": Unit, "customers": Customer, "visits": Visit}
