"""Who sees which objects and units."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from crm.records import RecordQuerySet
from crm.territory.sight import Territory
from objects.access import ObjectAccess

if TYPE_CHECKING:
    from crm.users.models import User


def object_ids_in_sight_of(user: "User") -> "models.QuerySet[Any] | None":
    """The ids of the objects in a user's sight, as a subquery; None when that is all of them.

    For an engineer it is a union of two indexed ways, territory and ledger: one OR over both would read
    every object.
    """
    from objects.models import Object  # noqa: PLC0415 - models import these querysets

    territory = Territory.of(user).condition()
    if territory is None:
        return None
    inside = Object._base_manager.filter(territory).values("pk")
    if not user.is_engineer:
        return inside
    return inside.union(ObjectAccess.objects.objects_seen_by(user.pk).values("object_id"))


def object_in_sight_of(user: "User", object_id: models.OuterRef) -> models.Q:
    """Whether an engineer sees the one object that a row of another query names.

    The same two ways, asked of each row: for rows that are few in any case.
    """
    from objects.models import Object  # noqa: PLC0415 - models import these querysets

    territory = Territory.of(user).condition() or models.Q()
    inside = Object._base_manager.filter(territory, pk=object_id)
    ledger = ObjectAccess.objects.objects_seen_by(user.pk).filter(object_id=object_id)
    return models.Q(models.Exists(inside)) | models.Q(models.Exists(ledger))


class ObjectQuerySet(RecordQuerySet):
    """Objects in sight."""

    def in_sight_of(self, user: "User") -> Self:
        territory = Territory.of(user).condition()
        if territory is None:
            return self
        if user.is_engineer:
            return self.filter(pk__in=object_ids_in_sight_of(user))
        return self.filter(territory)

    def ways_visible_to(self, user: "User") -> list[Self]:
        """`visible_to` in parts without a common row, each read by an index of its own.

        For whoever counts: the whole of an engineer's sight would first have to be gathered by id.
        """
        territory = Territory.of(user).condition()
        if territory is None or not user.is_engineer:
            return [self.visible_to(user)]
        seen = ObjectAccess.objects.objects_seen_by(user.pk).values("object_id")
        live = self.live()
        return [live.filter(territory), live.filter(pk__in=seen).exclude(territory)]


class HangingOnObjectQuerySet(RecordQuerySet):
    """Records that belong to an object share its sight."""

    def in_sight_of(self, user: "User") -> Self:
        seen = object_ids_in_sight_of(user)
        return self if seen is None else self.filter(object_id__in=seen)


class UnitQuerySet(HangingOnObjectQuerySet):
    """Units in sight."""
