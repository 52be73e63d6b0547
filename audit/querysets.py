"""Who sees which entries."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from crm.db.loose import different_values
from crm.db.ways import by_ways
from crm.users.roles import Role

if TYPE_CHECKING:
    from crm.users.models import User


class AuditEntryQuerySet(models.QuerySet[Any]):
    """Questions about the trail."""

    def visible_to(self, user: "User") -> Self:
        """ADMIN: everything. SUPERVISOR: the entries of their city (all, without one) and their own actions.

        Nobody else: nothing. It begins with the whole trail: narrow down what it gives. For a supervisor it
        asks at once in which other cities they have acted: one query.
        """
        if user.role == Role.ADMIN:
            return self
        if user.role != Role.SUPERVISOR:
            return self.none()
        if user.city_id is None:
            return self
        own = self.filter(actor_id=user.pk)
        # Newest first through an OR would read the whole trail for a small city; "mine, but not of my city"
        # would read all of mine, which nearly always are of it. Each way here is one stretch of an index.
        elsewhere = [city for city in different_values(own, "city_id") if city != user.city_id]
        ways = [
            self.filter(city_id=user.city_id),
            *(own.filter(city_id=city) for city in elsewhere),
            own.filter(city_id__isnull=True),
        ]
        return by_ways(self, ways)
