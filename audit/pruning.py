"""The only way in which entries end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connections, router, transaction
from django.utils import timezone

from audit.kept import PRUNE_GATE
from audit.models import AuditEntry
from audit.registrations import TRAIL
from crm.changes import Action, Change, report
from crm.db.gates import gate_opened

if TYPE_CHECKING:
    from crm.users.models import User

# Entries deleted in one transaction, about: on SQLite nobody else writes meanwhile.
BATCH = 10_000


def prune(
    *,
    older_than: timedelta,
    actor: "User | None" = None,
    batch: int = BATCH,
    on_progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Delete the entries that are older than that, the oldest first, and return how many.

    Each batch is a transaction with an entry of its own that tells how many went and from when: stopped
    half-way, it has told what it did. Entries of one moment go together. `on_progress` gets the number of
    entries in each batch.
    """
    cutoff = timezone.now() - older_than
    total = 0
    while gone := prune_batch(before=cutoff, actor=actor, batch=batch):
        on_progress(gone)
        total += gone
    return total


def prune_batch(*, before: datetime, actor: "User | None", batch: int) -> int:
    """Delete the oldest `batch` entries from before that moment, in one transaction; returns how many."""
    using = router.db_for_write(AuditEntry)
    with transaction.atomic(using=using):
        old = AuditEntry.objects.using(using).filter(timestamp__lt=before).order_by("timestamp")
        times = old.values_list("timestamp", flat=True)
        first = times.first()
        if first is None:
            return 0
        last = times[batch - 1 : batch].first() or times.last()
        with gate_opened(connections[using], PRUNE_GATE):
            gone: int = old.order_by().filter(timestamp__lte=last).delete()[0]
        told = {"deleted": gone, "older_than": before, "first": first, "last": last}
        report([Change(Action.PRUNE, TRAIL, None, after=told)], actor=actor)
    return gone
