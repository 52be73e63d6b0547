"""What the worker does: the rows into a file, the file into the storage."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.api.filters import SEARCH
from crm.changes import Action, Change
from crm.db.snapshots import one_snapshot
from crm.jobs.attempts import Attempt
from crm.jobs.failures import Failure
from crm.masking import MASK
from crm.phones import looks_like_phone
from reports import storing
from reports.columns import TITLES
from reports.models import ReportJob
from reports.rows import stream
from reports.selecting import Selection, sight_of, sort_shown
from reports.writers import write

KEPT_FOR: Final = timedelta(days=7)
# The trail's name for exports.
REPORT: Final = "report"


def export(job: ReportJob, attempt: Attempt) -> Mapping[str, Any]:
    """Write the file and keep it. The owner sees, and sees masked, what they do at this moment.

    Raises Failure, and what the writer and the database raise.
    """
    if not job.owner.is_active:
        raise Failure(_("The account that asked for it is not active any more."), again=False)
    with storing.unfinished(attempt.run, job.format) as path:
        attempt.progress(write_rows(job, path, attempt))
        size = path.stat().st_size
        name = storing.name_of(job.pk, attempt.run, job.format)
        kept = storing.keep(path, name, lambda: attempt.progress(attempt.rows_done))
    return {
        "file_path": kept,
        "file_size": size,
        "sight": sight_of(job.owner),
        "expires_at": timezone.now() + KEPT_FOR,
    }


def write_rows(job: ReportJob, path: Path, attempt: Attempt) -> int:
    """All rows, of one moment, into the file; how many."""
    selection = Selection.of_job(job)
    columns = selection.shown()
    with one_snapshot():
        rows = selection.rows(job.owner)
        attempt.expect(rows.order_by().count())
        found = stream(
            rows,
            columns,
            user=job.owner,
            raw=job.raw,
            language=job.language,
            zone=timezone.get_default_timezone(),
        )
        return write(
            path,
            format=job.format,
            title=str(TITLES[job.entity]),
            columns=columns,
            rows=found,
            language=job.language,
            raw=job.raw,
            progress=attempt.progress,
        )


def told(job: ReportJob) -> Sequence[Change]:
    """What the trail says of a finished export: what was asked for, and how much went out."""
    after = {
        "entity": job.entity,
        "format": job.format,
        "filters": dict(without_phones(job.filters)),
        "columns": job.columns,
        "sort": sort_shown(job.sort),
        "raw": job.raw,
        "rows": job.rows_done,
        "file_size": job.file_size,
    }
    return [
        Change(
            action=Action.EXPORT,
            entity_type=REPORT,
            entity_id=job.pk,
            after=after,
            city_id=job.owner.city_id,
        )
    ]


def without_phones(filters: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The filters, without the numbers that people search for."""
    for name, value in filters.items():
        yield name, MASK if name in SEARCH and looks_like_phone(value) else value


def discard(_job: ReportJob, made: Mapping[str, Any]) -> None:
    """Remove the file of an attempt that lost its job at the very end."""
    storing.remove(made["file_path"])
