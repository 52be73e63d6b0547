"""What a job does: read the file, write down what becomes of its rows. See crm.jobs.kinds.Kind."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from crm.backoffice.imports import storing
from crm.backoffice.imports.models import ImportJob, Part, Stage
from crm.backoffice.imports.rows import packed, parts_of, totals_of
from crm.backoffice.imports.settings import Settings
from crm.backoffice.seats import admits
from crm.importing import service
from crm.importing.basis import Basis
from crm.importing.outcomes import RowResult, Totals
from crm.importing.sheet import Sheet
from crm.importing.table import BrokenFileError
from crm.jobs.attempts import Attempt
from crm.jobs.failures import Failure, Stopped
from crm.jobs.models import JobStatus
from crm.users.models import User


def sight_of(user: User) -> str:
    """What the rows that somebody is shown depend on."""
    return f"{user.role}.{user.city_id}.{user.district_id}"


def do(job: ImportJob, attempt: Attempt) -> Mapping[str, Any]:
    """Check or import. Raises Failure, Stopped."""
    refuse_without_a_desk(job.owner)
    work = check if job.stage == Stage.CHECK else run
    try:
        with storing.opened(job.upload.file_path) as file:
            chosen = Settings.of_json(job.settings)
            sheet = service.open_upload(file, sheet=chosen.sheet, header_line=chosen.header_line)
            attempt.expect(chosen.rows or sheet.count_rows())
            return work(job, attempt, sheet, chosen)
    except BrokenFileError as error:
        raise Failure(str(error), again=False) from error


def check(job: ImportJob, attempt: Attempt, sheet: Sheet, chosen: Settings) -> Mapping[str, Any]:
    """The dry run. From the beginning, whatever an attempt before has written down."""
    with transaction.atomic():
        held(job, attempt)
        parts_of(job.upload, Stage.CHECK).delete()
    diary = Diary(job, attempt)
    checked = service.check(
        job.upload.kind,
        sheet,
        chosen.mapping,
        user=job.owner,
        options=chosen.options,
        on_row=diary.note,
        on_progress=diary.write,
    )
    return {
        "basis": checked.basis.to_bytes(),
        "totals": checked.totals.as_json(),
        "sight": sight_of(job.owner),
    }


def run(job: ImportJob, attempt: Attempt, sheet: Sheet, chosen: Settings) -> Mapping[str, Any]:
    """The import. What was done before comes out unchanged, and is told as it was then."""
    diary = Diary(job, attempt)
    diary.go_on()
    service.run(
        job.upload.kind,
        sheet,
        chosen.mapping,
        user=job.owner,
        options=chosen.options,
        basis=Basis.from_bytes(bytes(job.basis or b"")),
        on_row=diary.note,
        on_progress=diary.write,
    )
    return {"totals": diary.totals, "sight": sight_of(job.owner)}


def refuse_without_a_desk(user: User) -> None:
    """Raise Failure for somebody for whom the back office is not, or not any more."""
    if not (user.is_active and admits(user)):
        raise Failure(_("Your role does not allow this any more."), again=False)


def held(job: ImportJob, attempt: Attempt, **values: Any) -> None:
    """Note something in the job's row, under its lock. Raises Stopped when it is not this attempt's any more.

    A run that was cancelled may still note its last batch: that one is written.
    """
    mine = Q(run=attempt.run, status=JobStatus.PROCESSING)
    if job.stage == Stage.RUN:
        mine |= Q(run=None, status=JobStatus.CANCELLED)
    if not ImportJob.objects.filter(mine, pk=job.pk).update(stage=job.stage, **values):
        raise Stopped


class Diary:
    """Writes down what became of rows, as often as the service says how far it is."""

    def __init__(self, job: ImportJob, attempt: Attempt) -> None:
        self._job = job
        self._attempt = attempt
        self._rows: list[RowResult] = []
        self._counts = Totals()
        self._told_until = -1
        self.totals: dict[str, int] = {}

    def go_on(self) -> None:
        """Leave what is written down already as it is."""
        reached = parts_of(self._job.upload, self._job.stage).aggregate(line=Max("last_line"))
        if reached["line"] is not None:
            self._told_until = reached["line"]
        self.totals = totals_of(self._job.upload, self._job.stage)

    def note(self, row: RowResult) -> None:
        """One more row."""
        if row.line > self._told_until:
            self._rows.append(row)
            self._counts.note(row)

    def write(self, rows_done: int) -> None:
        """Put the rows since the last time into the database. Raises Stopped, and Failure."""
        if self._rows:
            self._write()
        refuse_without_a_desk(self._job.owner)
        self._attempt.progress(rows_done)

    def _write(self) -> None:
        counts = self._counts.as_json()
        totals = {name: self.totals.get(name, 0) + count for name, count in counts.items()}
        part = Part(
            upload=self._job.upload,
            stage=self._job.stage,
            last_line=self._rows[-1].line,
            counts=counts,
            rows=packed(self._rows),
        )
        with transaction.atomic():
            held(self._job, self._attempt, totals=totals, sight=sight_of(self._job.owner))
            Part.objects.bulk_create([part], ignore_conflicts=True)
        self.totals, self._rows, self._counts = totals, [], Totals()
