"""Who may see what, in plain Python and by the words of the rules: no ledger, no trigger, no queryset."""

from typing import Any
from uuid import UUID

from clients.models import Customer
from crm.users.models import User
from objects.models import Object, Unit
from visits.models import Visit

Key = tuple[str, str]


class Sight:
    """Everything live, read once; then anybody may be asked about.

    looked_at: ids that were there at earlier looks, to which new ones are added. What comes and goes between
    two looks (in one push) counts as live: it was in somebody's sight, if only for a moment.
    """

    def __init__(self, looked_at: set[UUID] | None = None) -> None:
        new: set[UUID] = set()

        def live(model: Any, *columns: str) -> list[Any]:
            rows = model._base_manager.values_list("deleted_at", "id", *columns)
            if looked_at is None:
                rows = rows.filter(deleted_at=None)
            found = [row for gone, *row in rows if gone is None or row[0] not in (looked_at or ())]
            new.update(row[0] for row in found)
            return found

        self.objects = live(Object, "city_id", "district_id", "responsible_user_id")
        self.units = live(Unit, "object_id")
        self.customers = live(Customer, "object_id")
        self.visits = live(Visit, "object_id", "engineer_id", "status")
        if looked_at is not None:
            looked_at |= new

    def of(self, user: User) -> set[Key]:
        """(table, id) of everything that the person sees."""
        places = self.objects_of(user)
        seen = {("objects", str(one)) for one in places}
        seen |= {("units", str(one)) for one, place in self.units if place in places}
        seen |= {("customers", str(one)) for one, place in self.customers if place in places}
        seen |= {
            ("visits", str(one))
            for one, place, engineer, _status in self.visits
            if place in places and (user.role != "ENGINEER" or engineer == user.pk)
        }
        return seen

    def given_to(self, user: User) -> set[Key]:
        """The visits that are the person's, seen or not (a cancelled one gives no sight of its object)."""
        return {
            ("visits", str(one))
            for one, _place, engineer, _status in self.visits
            if engineer == user.pk
        }

    def objects_of(self, user: User) -> set[UUID]:
        """The objects that the person sees."""
        seen = {
            one
            for one, city, district, _responsible in self.objects
            if inside(user, city, district)
        }
        if user.role == "ENGINEER":
            seen |= {one for one, *_place, responsible in self.objects if responsible == user.pk}
            seen |= {
                place
                for _id, place, engineer, status in self.visits
                if engineer == user.pk and status != "CANCELLED"
            }
        return seen


def inside(user: User, city: UUID, district: UUID | None) -> bool:
    """Whether a place lies in the person's territory."""
    if user.role == "ADMIN":
        return True
    if user.role == "SUPERVISOR":
        return user.city_id is None or city == user.city_id
    if user.district_id is not None:
        return district == user.district_id
    return user.city_id is not None and city == user.city_id
