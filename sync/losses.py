"""What somebody could see until a moment, written by database triggers in the transaction that ended it.

The feed reads it to tell phones what they may no longer hold. One row is one end of sight:

- of a territory (`city_id`, `district_id`): the object moved away from there, with all that hangs on it;
- of a person (`user_id`): the ledger's last reason for that person to see the object went;
- of a visit (`visit_id`): it left its engineer (`user_id`) or its object (whose place then is noted).

A row is only a candidate: the feed tells of it while the reader does not see the record again.
"""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Max, Q


class LossQuerySet(models.QuerySet["Loss"]):
    """Questions to the log."""

    def but_for_last_moves(self) -> Self:
        """Without each object's last move, which says since when it lies where it lies."""
        moves = self.model._base_manager.filter(user_id=None, visit_id=None)
        last = moves.values("object_id").annotate(last=Max("position")).values("last")
        return self.exclude(user_id=None, visit_id=None, position__in=last)


class Loss(models.Model):
    """An end of sight."""

    # In another database no phone has seen anything yet.
    STAYS_BEHIND: ClassVar = True

    object_id = models.UUIDField()
    visit_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    city_id = models.UUIDField(null=True)
    district_id = models.UUIDField(null=True)
    # Positions in the feed: when that sight had begun (0 = with the record), and when it ended.
    began = models.BigIntegerField(default=0)
    position = models.BigIntegerField()
    # The end of the transaction (on SQLite of the statement): whatever is newer was never seen.
    at = models.DateTimeField()

    objects: ClassVar[LossQuerySet] = LossQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        # Ids without foreign keys: the log outlives what it names, and triggers write it.
        indexes = [
            models.Index(fields=["user_id", "position"], name="sync_loss_user"),
            models.Index(
                fields=["city_id", "position"],
                name="sync_loss_city",
                condition=Q(city_id__isnull=False),
            ),
            models.Index(
                fields=["district_id", "position"],
                name="sync_loss_district",
                condition=Q(district_id__isnull=False),
            ),
            models.Index(fields=["object_id", "position"], name="sync_loss_object"),
            models.Index(fields=["at"], name="sync_loss_at"),
        ]

    def __str__(self) -> str:
        return f"{self.object_id} at {self.position}"
