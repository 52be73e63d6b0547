"""What a job does: read the file, write down what becomes of its rows. See crm.jobs.kinds.Kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
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
        on_progress=diary.tell,
    )
    return {
        "basis": checked.basis.to_bytes(),
        "totals": checked.totals.as_json(),
        "sight": sight_of(job.owner),
    }


def run(job: ImportJob, attempt: Attempt, sheet: Sheet, chosen: Settings) -> Mapping[str, Any]:
    """The import. It goes on behind the last batch that an attempt before has written down."""
    diary = Diary(job, attempt)

    def write_down(rows: Sequence[RowResult]) -> None:
        for row in rows:
            diary.note(row)
        diary.write()

    service.run(
        job.upload.kind,
        sheet,
        chosen.mapping,
        user=job.owner,
        options=chosen.options,
        basis=Basis.from_bytes(bytes(job.basis or b"")),
        done_until=diary.go_on(),
        on_batch=write_down,
        on_progress=diary.tell,
    )
    return {"totals": diary.totals, "sight": sight_of(job.owner)}


def refuse_without_a_desk(user: User) -> None:
    """Raise Failure for somebody for whom the back office is not, or not any more."""
    if not (user.is_active and admits(user)):
        raise Failure(_("Your role does not allow this any more."), again=False)


def held(job: ImportJob, attempt: Attempt, **values: Any) -> None:
    """Note something in the job's row, under its lock. Raises Stopped when another attempt has it."""
    rows = ImportJob.objects.filter(pk=job.pk).held_by(attempt.run)
    if not rows.update(stage=job.stage, **values):
        raise Stopped


class Diary:
    """Writes down what became of rows: of a run in the transaction of its batch, each exactly once."""

    def __init__(self, job: ImportJob, attempt: Attempt) -> None:
        self._job = job
        self._attempt = attempt
        self._rows: list[RowResult] = []
        self._counts = Totals()
        self.totals: dict[str, int] = {}

    def go_on(self) -> int:
        """The last line that is written down already; 0 before the first."""
        reached = parts_of(self._job.upload, self._job.stage).aggregate(line=Max("last_line"))
        self.totals = totals_of(self._job.upload, self._job.stage)
        return reached["line"] or 0

    def note(self, row: RowResult) -> None:
        """One more row."""
        self._rows.append(row)
        self._counts.note(row)

    def tell(self, rows_done: int) -> None:
        """So many rows are done. Raises Stopped, and Failure."""
        self.write()
        self._attempt.progress(rows_done)

    def write(self) -> None:
        """Put the rows since the last time into the database. Raises Stopped, and Failure."""
        refuse_without_a_desk(self._job.owner)
        if not self._rows:
            return
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
            part.save(force_insert=True)
        self.totals, self._rows, self._counts = totals, [], Totals()
