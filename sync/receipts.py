"""Receipts: what was answered for an item that was applied, so that the same item again changes nothing."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from crm.db.among import among
from crm.db.bulk import insert_unless_there


class Receipt(models.Model):
    """One applied item of one person: its fingerprint and its outcome. Lives 30 days."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    fingerprint = models.CharField(max_length=64)
    outcome = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "fingerprint"], name="sync_receipt_user_fingerprint_unique"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="sync_receipt_created_at")]

    def __str__(self) -> str:
        return self.fingerprint


def receipts_of(user_id: UUID, fingerprints: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Fingerprint → stored outcome, of those that were applied before."""
    found = Receipt.objects.filter(among("fingerprint", fingerprints), user_id=user_id)
    return dict(found.values_list("fingerprint", "outcome"))


def keep_receipts(user_id: UUID, outcomes: Mapping[str, dict[str, Any]]) -> bool:
    """Store the outcomes, in the transaction that made them.

    False when one of them is there already: another attempt with the same item has just been committed, and
    the caller must undo its own. The unique index decides; whoever looked before may have looked too early.
    """
    now = timezone.now()
    rows = [(user_id, name, outcomes[name], now) for name in sorted(outcomes)]
    columns = ["user_id", "fingerprint", "outcome", "created_at"]
    written = insert_unless_there(transaction.get_connection(), Receipt, columns, rows)
    return written == len(rows)
