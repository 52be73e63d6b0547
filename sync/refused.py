"""Refused items, kept so that nothing that somebody typed is lost, even when it could not be applied."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.errors import Forbidden
from crm.territory.models import City, District
from crm.users.roles import Role

if TYPE_CHECKING:
    from crm.users.models import User


class RefusedItemQuerySet(models.QuerySet[Any]):
    """Questions about refused items."""

    def visible_to(self, user: "User") -> Self:
        """ADMIN: all. SUPERVISOR: those of their city (all, without one). ENGINEER: their own."""
        if user.role == Role.ADMIN or (user.role == Role.SUPERVISOR and user.city_id is None):
            return self
        if user.role == Role.SUPERVISOR:
            return self.filter(city_id=user.city_id)
        return self.filter(user_id=user.pk)

    def open(self) -> Self:
        """Those that nobody has dealt with."""
        return self.filter(dealt_with_at__isnull=True)


class RefusedItem(models.Model):
    """An item that ended in a conflict or an error, as it came, and why. Lives 30 days.

    The same item refused again is the same row; when it is applied after all, the row goes.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=_("user"),
    )
    fingerprint = models.CharField(max_length=64)
    device = models.CharField(_("device"), max_length=128, blank=True, default="")
    table = models.CharField(_("table"), max_length=16)
    record_id = models.UUIDField(_("record"))
    item = models.JSONField(_("item"))
    status = models.CharField(_("result"), max_length=16)
    error_code = models.CharField(_("reason"), max_length=32)
    message = models.TextField(_("message"), blank=True, default="")
    city = models.ForeignKey(
        City, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("city")
    )
    district = models.ForeignKey(
        District, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("district")
    )
    created_at = models.DateTimeField(_("refused first"))
    refused_at = models.DateTimeField(_("refused last"))
    dealt_with_at = models.DateTimeField(_("dealt with"), null=True, blank=True)
    dealt_with_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("dealt with by"),
    )

    objects: ClassVar[Any] = RefusedItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("refused item")
        verbose_name_plural = _("refused items")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "fingerprint"], name="sync_refused_user_fingerprint_unique"
            )
        ]
        indexes = [
            models.Index(fields=["refused_at"], name="sync_refused_refused_at"),
            models.Index(
                fields=["city", "refused_at"],
                name="sync_refused_open",
                condition=models.Q(dealt_with_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.record_id}: {self.error_code}"


def keep_refused(items: Sequence[RefusedItem]) -> None:
    """Store refused items; one that is there already gets the new reason."""
    now = timezone.now()
    # The same item twice in one batch is one row.
    unique = {item.fingerprint: item for item in items}
    rows = [unique[name] for name in sorted(unique)]
    for row in rows:
        row.created_at = row.refused_at = now
    RefusedItem.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["user", "fingerprint"],
        update_fields=["device", "status", "error_code", "message", "refused_at"],
    )


def forget_refused(user_id: UUID, fingerprints: Iterable[str]) -> None:
    """Drop what has been applied after all."""
    names = list(fingerprints)
    if names:
        RefusedItem.objects.filter(user_id=user_id, fingerprint__in=names).delete()


def deal_with(*, actor: "User", ids: Sequence[int], done: bool = True) -> int:
    """Mark refused items in the actor's sight as dealt with, or as open again; returns how many changed.

    The row itself says who did and when. Raises Forbidden for an engineer.
    """
    if actor.is_engineer:
        raise Forbidden
    with transaction.atomic():
        rows = RefusedItem.objects.visible_to(actor).filter(pk__in=ids)
        if done:
            changed: int = rows.open().update(dealt_with_at=timezone.now(), dealt_with_by=actor)
            return changed
        closed = rows.filter(dealt_with_at__isnull=False)
        opened: int = closed.update(dealt_with_at=None, dealt_with_by=None)
        return opened
