"""Housekeeping of the feed: what is older than a phone may stay away is forgotten."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from sync.entities import ENTITIES
from sync.epoch import current_epoch
from sync.losses import Loss
from sync.state import FeedState

TOMBSTONE_DAYS: Final = 90


def forget_deletions(before: datetime | None = None) -> tuple[int, int]:
    """Forget the deletions and losses before a moment; cursors that have not heard of them are void.

    Deleted rows stay where they are, so that their ids are never used again: the feed just no longer promises
    to tell of them. Returns how many losses were removed, and the position below which cursors are void.
    """
    moment = before or timezone.now() - timedelta(days=TOMBSTONE_DAYS)
    current_epoch()
    with transaction.atomic():
        state = FeedState.objects.select_for_update().get(pk=1)
        old = Loss.objects.filter(at__lt=moment)
        positions = [state.purged_position, old.aggregate(last=Max("position"))["last"] or 0]
        for entity in ENTITIES:
            rows = entity.model._base_manager.filter(deleted_at__lt=moment, updated_at__lt=moment)
            positions.append(rows.aggregate(last=Max("feed_position"))["last"] or 0)
        state.purged_position = max(positions)
        state.save(update_fields=["purged_position"])
        removed, _kinds = old.but_for_last_moves().delete()
    return removed, state.purged_position
