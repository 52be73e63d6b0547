"""Forget what no phone waits for any more."""

from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.utils import timezone

from sync.cleanup import TOMBSTONE_DAYS, forget_deletions
from sync.receipts import Receipt
from sync.refused import RefusedItem

RECEIPT_DAYS: Final = 30
REFUSED_DAYS: Final = 30


class Command(BaseCommand):
    """`manage.py sync_cleanup`, once a day."""

    help = (
        f"Remove receipts after {RECEIPT_DAYS} and refused items after {REFUSED_DAYS} days; forget deletions "
        f"after {TOMBSTONE_DAYS}: phones that slept longer start over."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        receipts, _ = Receipt.objects.filter(
            created_at__lt=now - timedelta(days=RECEIPT_DAYS)
        ).delete()
        refused, _ = RefusedItem.objects.filter(
            refused_at__lt=now - timedelta(days=REFUSED_DAYS)
        ).delete()
        losses, position = forget_deletions()
        if options["verbosity"]:
            self.stdout.write(
                f"Removed: {receipts} receipts, {refused} refused items, {losses} losses. "
                f"Cursors are good from position {position} on."
            )
