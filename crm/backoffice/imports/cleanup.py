"""What is not needed any more is removed: files after their run or a day, their rows after a week."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from crm.backoffice.imports.models import ImportJob, Part, Stage, Upload
from crm.backoffice.imports.storing import FOLDER, remove
from crm.jobs.models import ACTIVE, JobStatus

log = logging.getLogger(__name__)

FILE_KEPT_FOR: Final = timedelta(days=1)
ROWS_KEPT_FOR: Final = timedelta(days=7)
# No upload takes as long as this to get its row.
OWNERLESS_AFTER: Final = timedelta(hours=2)
AT_ONCE: Final = 500


@dataclass(slots=True)
class Cleaned:
    """What was removed."""

    files: int = 0
    parts: int = 0
    ownerless: int = 0


def clean_up(moment: datetime | None = None) -> Cleaned:
    """Remove what is past its time. What the storage raises passes."""
    now = moment or timezone.now()
    return Cleaned(files(now), parts(now), ownerless(now))


def files(now: datetime) -> int:
    """The files that were imported, or lie there for a day. One that is being read stays."""
    jobs = ImportJob.objects.filter(upload=OuterRef("pk"))
    done = Exists(jobs.filter(stage=Stage.RUN, status=JobStatus.DONE))
    old = Q(created_at__lt=now - FILE_KEPT_FOR)
    rows = Upload.objects.filter(~Exists(jobs.filter(status__in=ACTIVE)), file_path__isnull=False)
    removed = 0
    for upload in rows.filter(done | old).order_by("pk").iterator():
        drop_file(upload)
        removed += 1
    return removed


def drop_file(upload: Upload) -> None:
    """Remove an upload's file."""
    if upload.file_path is not None:
        remove(upload.file_path)
        Upload.objects.filter(pk=upload.pk).update(file_path=None)
        upload.file_path = None


def parts(now: datetime) -> int:
    """What became of each row; the totals stay."""
    old = Upload.objects.filter(created_at__lt=now - ROWS_KEPT_FOR)
    removed, _by_model = Part.objects.filter(upload__in=old).delete()
    ImportJob.objects.filter(upload__in=old, basis__isnull=False).update(basis=None)
    return removed


def ownerless(now: datetime) -> int:
    """Files without a row: their process died before it could write one."""
    try:
        names = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:
        return 0
    stored = [f"{FOLDER}/{name}" for name in names]
    removed = 0
    for start in range(0, len(stored), AT_ONCE):
        some = stored[start : start + AT_ONCE]
        known = set(Upload.objects.filter(file_path__in=some).values_list("file_path", flat=True))
        for name in some:
            if (
                name not in known
                and default_storage.get_modified_time(name) < now - OWNERLESS_AFTER
            ):
                remove(name)
                removed += 1
    return removed
