"""A finished file as an answer."""

from typing import Final
from urllib.parse import quote

from django.http import FileResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.errors import CallerError, Code, Conflict, Sentence, Unavailable
from crm.jobs.models import JobStatus
from crm.users.models import User
from reports import storing
from reports.columns import TITLES
from reports.models import ReportJob
from reports.selecting import sight_of

MEDIA_TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class Expired(CallerError):
    """The file is not there any more."""

    status = 410
    code = Code.REPORT_EXPIRED

    def __init__(self, message: Sentence | None = None) -> None:
        super().__init__(
            message or _("The file was kept for 7 days and is gone. Ask for the report again.")
        )


def download(job: ReportJob, reader: User) -> FileResponse:
    """The file, piece by piece. Raises Conflict before it is done, Expired after it is gone."""
    if job.status != JobStatus.DONE:
        raise Conflict(
            _("There is no file: the report is in the state “%(status)s”.")
            % {"status": job.get_status_display()},
            details={"status": job.status},
        )
    if job.has_expired() or not job.file_path:
        raise Expired
    if not reader.is_admin and job.sight != sight_of(reader):
        raise Expired(
            _(
                "Your role or territory has changed since the file was made. Ask for the report again."
            )
        )
    try:
        found = storing.opened(job.file_path)
    except storing.StorageAway as error:
        raise Unavailable(error.sentence) from error
    if found is None:
        raise Expired
    answer = FileResponse(found, content_type=MEDIA_TYPES[job.format])
    answer.headers["Content-Length"] = str(job.file_size)
    answer.headers["Content-Disposition"] = disposition(job)
    # Personal data: no proxy keeps a copy.
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def disposition(job: ReportJob) -> str:
    """`attachment` with the name in the owner's language, and one in ASCII for old clients.

    RFC 6266, section 5; RFC 8187 for the encoding.
    """
    made = timezone.localtime(job.completed_at)
    with translation.override(job.language):
        title = str(TITLES[job.entity])
    name = f"{title} {made:%Y-%m-%d %H-%M}.{job.format}"
    plain = f"{job.entity}-{made:%Y-%m-%d-%H-%M}.{job.format}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
