"""Asking for an export, and calling it off."""

from datetime import timedelta
from typing import Final

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.db import violated_constraint
from crm.errors import Conflict, Unavailable
from crm.jobs import queue, running
from crm.users.models import User
from reports.models import ReportFormat, ReportJob
from reports.selecting import Selection

# A request repeated this soon, while the first one still waits or is worked on, is the same one.
SAME_FOR: Final = timedelta(minutes=5)
TRIES: Final = 3


def request_export(
    *,
    actor: User,
    selection: Selection,
    format: str = ReportFormat.XLSX,  # noqa: A002 - the field's name everywhere
    raw: bool = False,
) -> tuple[ReportJob, bool]:
    """Have the selection written to a file: the job, and whether it is a new one.

    Everything is checked now. Raises Invalid, Forbidden (deleted records), Unavailable.
    """
    # Not one row is read: this is what finds fault with filters and order.
    selection.rows(actor)
    language = get_language() or ""
    fingerprint = selection.fingerprint(actor, format, raw, language)
    for _attempt in range(TRIES):
        known = same_job(fingerprint)
        if known is not None:
            return known, False
        job = ReportJob(
            owner=actor,
            entity=selection.entity,
            filters=dict(selection.parameters),
            columns=list(selection.columns),
            sort=selection.sort,
            format=format,
            raw=raw,
            language=language,
            fingerprint=fingerprint,
        )
        try:
            queue.put(job)
        except IntegrityError as error:
            # Somebody asked for the same at the same moment: theirs is the one.
            violation = violated_constraint(error)
            if violation is None or violation.kind != "unique":
                raise
        else:
            return job, True
    raise Unavailable


def same_job(fingerprint: str) -> ReportJob | None:
    """The job of the same request that has not ended; one that has waited too long for that makes way."""
    known: ReportJob | None = (
        ReportJob.objects.active().filter(fingerprint=fingerprint).select_related("owner").first()
    )
    if known is None or known.created_at > timezone.now() - SAME_FOR:
        return known
    ReportJob.objects.filter(pk=known.pk).update(fingerprint=None)
    return None


def cancel_export(job: ReportJob) -> None:
    """Call it off. Raises Conflict when it has ended."""
    if not running.cancel(job):
        raise Conflict(
            _("The report has ended already: %(status)s.") % {"status": job.get_status_display()},
            details={"status": job.status},
        )
