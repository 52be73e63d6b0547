"""Who sees which visits, and which of them call for action."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import OuterRef, Q

from objects.querysets import HangingOnObjectQuerySet, object_in_sight_of

if TYPE_CHECKING:
    from crm.users.models import User


class VisitQuerySet(HangingOnObjectQuerySet):
    """Visits in sight: an engineer's own, where they see the object."""

    def in_sight_of(self, user: "User") -> Self:
        if not user.is_engineer:
            return super().in_sight_of(user)
        # Their own visits are few beside the objects that they see: each is looked at, until a page is full.
        return self.filter(object_in_sight_of(user, OuterRef("object_id")), engineer_id=user.pk)

    def due_by(self, moment: datetime) -> Self:
        """Visits whose promised call-back is due by that moment."""
        return self.filter(next_action_due_at__lte=moment)

    def overdue(self, moment: datetime) -> Self:
        """Visits whose promised call-back is late at that moment."""
        return self.filter(next_action_due_at__lt=moment)

    def promised(self, *, since: datetime | None = None) -> Self:
        """Visits with a promised call-back, all or those not yet late at that moment."""
        if since is None:
            return self.filter(next_action_due_at__isnull=False)
        return self.filter(next_action_due_at__gte=since)

    def not_due_by(self, moment: datetime) -> Self:
        """Visits without a call-back, or with one due later."""
        return self.filter(Q(next_action_due_at__gt=moment) | Q(next_action_due_at__isnull=True))
