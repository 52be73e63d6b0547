"""The steps of an import, each with its rules: bring a file, have it checked, have it imported, end it."""

from dataclasses import replace
from typing import Any, BinaryIO, Final, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.backoffice.imports import storing
from crm.backoffice.imports.cleanup import drop_file
from crm.backoffice.imports.models import MAX_NAME, ImportJob, Part, Stage, Upload
from crm.backoffice.imports.settings import Settings
from crm.errors import Conflict, Forbidden, NotFound
from crm.importing.kinds import KINDS
from crm.importing.service import open_upload
from crm.importing.sheet import MAX_UPLOAD, Sheet
from crm.importing.table import BrokenFileError
from crm.jobs import inprocess, kinds, queue, running
from crm.jobs.models import JobStatus
from crm.users.models import User

# So many rows are done while the person waits.
AT_ONCE: Final = 200
# Files of one person that wait for their run: each may have 64 MB.
MOST_WAITING: Final = 20


def bring(*, actor: User, kind: str, file: UploadedFile | None) -> Upload:
    """Look at a file and keep it. Raises BrokenFileError with a sentence, Conflict, Unavailable."""
    if kind not in KINDS:
        raise BrokenFileError(_("Choose what the file holds."))
    if file is None or not file.size:
        raise BrokenFileError(_("Choose a file.") if file is None else _("The file is empty."))
    if file.size > MAX_UPLOAD:
        # Before anything is read of it.
        limit = MAX_UPLOAD // (1024 * 1024)
        raise BrokenFileError(_("The file is larger than %(limit)d MB.") % {"limit": limit})
    waiting = Upload.objects.filter(owner=actor, file_path__isnull=False).count()
    if waiting >= MOST_WAITING:
        raise Conflict(
            _("You have %(number)d files waiting. Import or discard some of them first.")
            % {"number": waiting}
        )
    open_upload(cast("BinaryIO", file))
    upload = Upload(owner=actor, kind=kind, name=str(file.name or "")[-MAX_NAME:], size=file.size)
    upload.file_path = storing.keep(str(upload.pk), file)
    upload.save(force_insert=True)
    return upload


def found(reader: User, pk: Any) -> Upload:
    """An import that the reader may look at. Raises NotFound."""
    upload = Upload.objects.visible_to(reader).select_related("owner").filter(pk=pk).first()
    if upload is None or upload.kind not in KINDS:
        raise NotFound
    return upload


def refuse_others(upload: Upload, actor: User) -> None:
    """An administrator sees everybody's imports, but each is done with its owner's eyes. Raises Forbidden."""
    if upload.owner_id != actor.pk:
        raise Forbidden(_("Only the person who brought the file can do this."))


def latest_job(upload: Upload, **narrowed: Any) -> ImportJob | None:
    """The last thing that was done with the file."""
    jobs = ImportJob.objects.filter(upload=upload, **narrowed).defer("basis")
    latest: ImportJob | None = jobs.order_by("-created_at", "-pk").first()
    return latest


def has_begun(upload: Upload) -> bool:
    """Whether rows may have been written: the columns are settled then."""
    return bool(ImportJob.objects.filter(upload=upload, stage=Stage.RUN).exists())


def ask_check(upload: Upload, *, actor: User, chosen: Settings, sheet: Sheet) -> ImportJob:
    """Have the file checked with these columns. Raises BrokenFileError, Conflict, Forbidden, Unavailable."""
    refuse_others(upload, actor)
    if has_begun(upload):
        raise Conflict(_("The import has begun: its columns stay as they are."))
    KINDS[upload.kind].fields.refuse_unfit(chosen.mapping, width=len(sheet.header))
    earlier = latest_job(upload)
    if earlier is not None and not earlier.has_ended:
        running.cancel(earlier)
    few = 0 < sheet.about <= AT_ONCE
    job = ImportJob(
        owner=actor,
        upload=upload,
        name=upload.name,
        stage=Stage.CHECK,
        settings=chosen.as_json(),
    )
    return start(job, few=few)


def ask_run(upload: Upload, *, actor: User) -> ImportJob:
    """Have it imported as the last check saw it; or go on where a run was ended.

    Raises Conflict, Forbidden, Unavailable.
    """
    refuse_others(upload, actor)
    last = latest_job(upload)
    if last is None or not last.has_ended:
        raise Conflict(_("This file is being worked on."))
    if last.stage == Stage.RUN and last.status == JobStatus.DONE:
        raise Conflict(_("This file is imported already."))
    checked = (
        ImportJob.objects.filter(upload=upload, stage=Stage.CHECK)
        .order_by("-created_at", "-pk")
        .first()
    )
    if checked is None or checked.status != JobStatus.DONE or checked.basis is None:
        raise Conflict(_("The file has to be checked first."))
    if upload.file_path is None:
        raise Conflict(_("The file is not kept any more. Upload it again."))
    rows = checked.totals.get("rows", 0)
    chosen = replace(Settings.of_json(checked.settings), rows=rows)
    job = ImportJob(
        owner=actor,
        upload=upload,
        name=upload.name,
        stage=Stage.RUN,
        settings=chosen.as_json(),
        basis=bytes(checked.basis),
    )
    return start(job, few=rows <= AT_ONCE)


def ask_again(job: ImportJob, *, actor: User) -> ImportJob:
    """The same once more: a check that failed from its beginning, a run where it was ended.

    Raises Conflict, Forbidden, Unavailable.
    """
    upload = job.upload
    last = latest_job(upload)
    if last is not None and last.pk != job.pk:
        raise Conflict(_("Something else was done with this file since."))
    if job.stage == Stage.RUN:
        return ask_run(upload, actor=actor)
    refuse_others(upload, actor)
    again = ImportJob(
        owner=actor,
        upload=upload,
        name=upload.name,
        stage=Stage.CHECK,
        settings=job.settings,
    )
    return start(again, few=False)


def start(job: ImportJob, *, few: bool) -> ImportJob:
    """Few rows here and now, more by a worker. Raises Conflict when the file is being worked on."""
    try:
        if not few:
            queue.put(job)
            return job
        job.language = get_language() or "ru"
        job.remember_origin()
        queue.insert(job)
    except IntegrityError as error:
        raise Conflict(_("This file is being worked on.")) from error
    running.perform(kinds.kind_of(job._meta.label), job.pk)
    job.refresh_from_db()
    if not job.has_ended:
        inprocess.wake()
    return job


def cancel(upload: Upload) -> bool:
    """End what is being done; what is written stays. False when nothing was."""
    job = latest_job(upload)
    return job is not None and running.cancel(job)


def discard(upload: Upload) -> None:
    """Remove the file and what a check said of its rows. What was imported stays, and so does its report.

    Raises Conflict while it is being worked on.
    """
    job = latest_job(upload)
    if job is not None and not job.has_ended:
        raise Conflict(_("This file is being worked on."))
    drop_file(upload)
    if not has_begun(upload):
        Part.objects.filter(upload=upload).delete()
        upload.delete()
