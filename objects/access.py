"""The ledger of engineers' sight: who sees which object by visit or by responsibility.

One row for each person and object, kept by database triggers on objects and visits. A row gives sight while
the person is responsible for the object or has a visit there that is not cancelled. `feed_position` moves
when that sight begins or ends, so that a phone is sent exactly the objects that came into its user's sight.
"""

from typing import ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q


class AccessQuerySet(models.QuerySet["ObjectAccess"]):
    """Questions to the ledger."""

    def giving_sight(self) -> Self:
        """Rows that let their person see the object now."""
        return self.filter(Q(live_visits__gt=0) | Q(responsible=True))

    def objects_seen_by(self, user_id: UUID) -> Self:
        """The ids of objects that a person sees beyond their territory."""
        return self.filter(user_id=user_id).giving_sight()


class ObjectAccess(models.Model):
    """One person's claim to see one object."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    object = models.ForeignKey("objects.Object", on_delete=models.CASCADE, related_name="+")
    live_visits = models.IntegerField(default=0)
    responsible = models.BooleanField(default=False)
    feed_position = models.BigIntegerField(default=0)

    objects: ClassVar[AccessQuerySet] = AccessQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "object"], name="objects_access_user_object_unique"
            ),
            models.CheckConstraint(
                condition=Q(live_visits__gte=0), name="objects_access_visits_counted"
            ),
        ]
        indexes = [models.Index(fields=["user", "feed_position"], name="objects_access_feed")]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.object_id}"
