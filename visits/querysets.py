"""Who sees which visits, and which of them call for action."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Q

from objects.querysets import HangingOnObjectQuerySet

if TYPE_CHECKING:
    from crm.users.models import User


class VisitQuerySet(HangingOnObjectQuerySet):
    """Visits in sight: an engineer's own, where they see the object."""

    def in_sight_of(self, user: "User") -> Self:
        seen = super().in_sight_of(user)
        return seen.filter(engineer_id=user.pk) if user.is_engineer else seen

    def due_by(self, moment: datetime) -> Self:
        """Visits whose promised call-back is due by that moment."""
        return self.filter(next_action_due_at__lte=moment)

    def not_due_by(self, moment: datetime) -> Self:
        """Visits without a call-back, or with one due later."""
        return self.filter(Q(next_action_due_at__gt=moment) | Q(next_action_due_at__isnull=True))
