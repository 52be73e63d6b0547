"""Files that nobody can ask for any more are removed; what was asked for stays known."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from crm.jobs.models import JobStatus
from reports.models import ReportJob
from reports.storing import FOLDER, StorageAway, remove, unfinished_files

log = logging.getLogger(__name__)

AT_ONCE: Final = 500


@dataclass(slots=True)
class Cleaned:
    """What was removed."""

    expired: int = 0
    unfinished: int = 0
    ownerless: int = 0


def clean_up(moment: datetime | None = None) -> Cleaned:
    """Remove the files of expired reports, and those that killed processes left. Raises StorageAway."""
    now = moment or timezone.now()
    # Nothing that is being written at this moment is this old.
    before = now - timedelta(seconds=settings.JOBS["TIMEOUT_SECONDS"] * 2)
    return Cleaned(expired(now), unfinished(before), ownerless(before))


def expired(now: datetime) -> int:
    """Remove the files of reports past their time; the rows stay, and say so."""
    removed = 0
    rows = ReportJob.objects.filter(expires_at__lte=now, file_path__isnull=False)
    while jobs := list(rows.order_by("pk")[:AT_ONCE]):
        for job in jobs:
            remove(str(job.file_path))
            ReportJob.objects.filter(pk=job.pk).update(file_path=None)
            removed += 1
    return removed


def unfinished(before: datetime) -> int:
    """Remove half-written files that nobody has touched since."""
    removed = 0
    for path in unfinished_files():
        if path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def ownerless(before: datetime) -> int:
    """Remove stored files that no report refers to: their process died before it could write that down."""
    try:
        names = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:
        return 0
    except Exception as error:
        raise StorageAway from error
    stored = [f"{FOLDER}/{name}" for name in names]
    removed = 0
    for start in range(0, len(stored), AT_ONCE):
        some = stored[start : start + AT_ONCE]
        rows = ReportJob.objects.filter(file_path__in=some, status=JobStatus.DONE)
        known = {*rows.values_list("file_path", flat=True)}
        for name in some:
            if name not in known and default_storage.get_modified_time(name) < before:
                remove(name)
                removed += 1
    return removed
