"""Refused items, kept so that nothing that somebody typed is lost, even when it could not be applied."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.territory.models import City, District


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

    class Meta:
        verbose_name = _("refused item")
        verbose_name_plural = _("refused items")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "fingerprint"], name="sync_refused_user_fingerprint_unique"
            )
        ]
        indexes = [models.Index(fields=["refused_at"], name="sync_refused_refused_at")]

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
