"""Who sees which entries."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from crm.db.ways import by_ways
from crm.users.roles import Role

if TYPE_CHECKING:
    from crm.users.models import User


class AuditEntryQuerySet(models.QuerySet[Any]):
    """Questions about the trail."""

    def visible_to(self, user: "User") -> Self:
        """ADMIN: everything. SUPERVISOR: the entries of their city (all, without one) and their own actions.

        Nobody else: nothing. Starts a query of its own: narrow down what it gives.
        """
        if user.role == Role.ADMIN:
            return self
        if user.role != Role.SUPERVISOR:
            return self.none()
        if user.city_id is None:
            return self
        own = self.filter(actor_id=user.pk)
        # Newest first through an OR would read the whole trail for a small city. Each of these is one stretch
        # of an index; "not in my city" would read all of somebody's own actions, which lie in it.
        ways = [
            self.filter(city_id=user.city_id),
            own.filter(city_id__lt=user.city_id),
            own.filter(city_id__gt=user.city_id),
            own.filter(city_id__isnull=True),
        ]
        return by_ways(self, ways)
