"""Territory: which part of the map a user's role gives them.

ADMIN: everything. SUPERVISOR: their city, or the whole company without one. ENGINEER: their district,
or their city when they have no district, or nothing. What an engineer sees beyond that, through visits
and responsibility, is the ledger's matter (objects.access).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from crm.users.roles import Role

if TYPE_CHECKING:
    from crm.users.models import User


@dataclass(frozen=True, slots=True)
class Territory:
    """A part of the map: everything, one city, one district, or nothing."""

    everything: bool = False
    city_id: UUID | None = None
    district_id: UUID | None = None

    @classmethod
    def of(cls, user: "User") -> "Territory":
        """The territory that `user` has at this moment."""
        if user.role == Role.ADMIN:
            return cls(everything=True)
        if user.role == Role.SUPERVISOR:
            return cls(everything=user.city_id is None, city_id=user.city_id)
        if user.role == Role.ENGINEER:
            return cls(city_id=user.city_id, district_id=user.district_id)
        return cls()

    def holds(self, *, city_id: UUID | None, district_id: UUID | None) -> bool:
        """Whether a place in that city and district lies inside."""
        if self.everything:
            return True
        if self.district_id is not None:
            return district_id == self.district_id
        return self.city_id is not None and city_id == self.city_id

    def condition(self, *, city: str = "city_id", district: str = "district_id") -> Q | None:
        """The same as a condition on columns; None when everything lies inside."""
        if self.everything:
            return None
        if self.district_id is not None:
            return Q(**{district: self.district_id})
        if self.city_id is not None:
            return Q(**{city: self.city_id})
        return Q(pk__in=[])
