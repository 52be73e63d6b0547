"""Imports as their pages tell them: states in words, outcomes in colours, rows with links."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.apps import apps
from django.db.models import Max
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.backoffice import shown
from crm.backoffice.imports.models import ImportJob, Stage, Upload
from crm.backoffice.imports.rows import CELLS_KEPT
from crm.backoffice.imports.settings import Settings
from crm.errors import Sentence
from crm.importing.kinds import KINDS
from crm.importing.outcomes import Outcome, RowResult
from crm.jobs.models import JobStatus
from crm.users.models import User

__all__ = ["CELLS_KEPT", "context_of", "lines", "rows", "tabs", "without_cells"]

COLOURS: Final = {
    Outcome.CREATE: shown.GREEN,
    Outcome.UPDATE: shown.BLUE,
    Outcome.UNCHANGED: shown.GREY,
    Outcome.REPEAT: shown.ORANGE,
    Outcome.PROBLEM: shown.RED,
}
# Above the columns of figures, where several rows are meant.
PLURALS: Final[dict[Outcome, Sentence]] = {
    Outcome.CREATE: gettext_lazy("New"),
    Outcome.UPDATE: gettext_lazy("Changed"),
    Outcome.UNCHANGED: gettext_lazy("Unchanged"),
    Outcome.REPEAT: gettext_lazy("Repeats"),
    Outcome.PROBLEM: gettext_lazy("Not imported"),
}
STATES: Final[dict[tuple[str, str], tuple[Sentence, str]]] = {
    (Stage.CHECK, JobStatus.PENDING): (gettext_lazy("waits for its check"), shown.GREY),
    (Stage.CHECK, JobStatus.PROCESSING): (gettext_lazy("is being checked"), shown.BLUE),
    (Stage.CHECK, JobStatus.DONE): (gettext_lazy("checked"), shown.ACCENT),
    (Stage.CHECK, JobStatus.FAILED): (gettext_lazy("could not be checked"), shown.RED),
    (Stage.CHECK, JobStatus.CANCELLED): (gettext_lazy("check cancelled"), shown.GREY),
    (Stage.RUN, JobStatus.PENDING): (gettext_lazy("waits for its import"), shown.GREY),
    (Stage.RUN, JobStatus.PROCESSING): (gettext_lazy("is being imported"), shown.BLUE),
    (Stage.RUN, JobStatus.DONE): (gettext_lazy("imported"), shown.GREEN),
    (Stage.RUN, JobStatus.FAILED): (gettext_lazy("broken off"), shown.RED),
    (Stage.RUN, JobStatus.CANCELLED): (gettext_lazy("stopped"), shown.ORANGE),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One import in the list."""

    upload: Upload
    kind: Sentence
    state: SafeString
    told: str
    link: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row of the file on the page."""

    row: RowResult
    badge: SafeString
    link: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One outcome with its number; `code` is empty for all rows."""

    code: str
    label: Sentence
    number: int
    current: bool
    colour: str


def lines(uploads: Sequence[Upload]) -> list[Line]:
    """Imports for the list, with the last thing that was done with each: two queries."""
    last = (
        ImportJob.objects.filter(upload__in=uploads)
        .values("upload_id")
        .annotate(newest=Max("created_at"))
        .values_list("upload_id", "newest")
    )
    newest = dict(last)
    jobs = {
        job.upload_id: job
        for job in ImportJob.objects.filter(
            upload__in=uploads, created_at__in=newest.values()
        ).defer("basis", "settings")
        if newest[job.upload_id] == job.created_at
    }
    return [line(one, jobs.get(one.pk)) for one in uploads]


def line(upload: Upload, job: ImportJob | None) -> Line:
    """One import."""
    kind = KINDS.get(upload.kind)
    return Line(
        upload=upload,
        kind=upload.kind if kind is None else kind.label,
        state=state_of(upload, job),
        told="" if job is None else told(job.totals),
        link=reverse("admin:import", args=[upload.pk]),
    )


def state_of(upload: Upload, job: ImportJob | None) -> SafeString:
    """How far an import is, as a badge."""
    if job is None:
        gone = upload.file_path is None
        return shown.badge(_("file removed") if gone else _("columns to be chosen"), shown.GREY)
    text, colour = STATES[job.stage, job.status]
    return shown.badge(text, colour)


def told(totals: dict[str, int]) -> str:
    """The figures in one line; outcomes that no row has are left out."""
    counted = ((PLURALS[one], totals.get(one.value, 0)) for one in Outcome)
    parts = [f"{str(label).lower()}: {number}" for label, number in counted if number]
    return ", ".join(parts)


def context_of(job: ImportJob, reader: User) -> dict[str, Any]:
    """What the page of an import says besides its rows."""
    upload, totals = job.upload, job.totals
    chosen = Settings.of_json(job.settings)
    kind = KINDS[upload.kind]
    is_run = job.stage == Stage.RUN
    mine = upload.owner_id == reader.pk
    done = job.status == JobStatus.DONE
    kept = upload.file_path is not None
    to_write = totals.get(Outcome.CREATE, 0) + totals.get(Outcome.UPDATE, 0)
    unknown = chosen.mapping.unknown(chosen.header)
    return {
        "upload": upload,
        "job": job,
        "kind_label": kind.label,
        "mine": mine,
        "is_run": is_run,
        "done": done,
        "state": state_of(upload, job),
        "step": (4 if is_run else 3),
        "totals": totals,
        "to_write": to_write,
        "unknown": unknown,
        "may_correct": mine and kept and not is_run and job.has_ended,
        "may_run": mine and kept and done and not is_run and to_write > 0,
        "may_go_on": mine and kept and is_run and job.has_ended and not done,
        "may_discard": job.has_ended and (kept or not is_run),
        "headline": headline(job, to_write),
    }


def headline(job: ImportJob, to_write: int) -> str:
    """What it came to, in a sentence."""
    if not job.has_ended:
        return ""
    if job.stage == Stage.RUN:
        return ngettext("%(number)d record written.", "%(number)d records written.", to_write) % {
            "number": to_write
        }
    if job.status != JobStatus.DONE:
        return ""
    if not to_write:
        return _("The import would change nothing.")
    return ngettext(
        "Nothing is written yet. The import would write %(number)d record.",
        "Nothing is written yet. The import would write %(number)d records.",
        to_write,
    ) % {"number": to_write}


def tabs(job: ImportJob, outcome: Outcome | None) -> list[Tab]:
    """The outcomes to choose from."""
    found = [Tab("", _("All rows"), job.totals.get("rows", 0), outcome is None, shown.GREY)]
    for one in (Outcome.PROBLEM, *(each for each in Outcome if each != Outcome.PROBLEM)):
        number = job.totals.get(one.value, 0)
        found.append(Tab(one.value, PLURALS[one], number, one == outcome, COLOURS[one]))
    return found


def rows(upload: Upload, found: Sequence[RowResult]) -> list[ShownRow]:
    """Rows with their colours, and links to the records that they are about."""
    record = KINDS[upload.kind].record
    opts = apps.get_model(record)._meta if record else None
    return [
        ShownRow(
            row=row,
            badge=shown.badge(row.outcome.label, COLOURS[row.outcome]),
            link=""
            if opts is None or row.record_id is None
            else reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.record_id]),
        )
        for row in found
    ]


def without_cells(row: RowResult) -> RowResult:
    """The row for a file without the columns of the upload."""
    return replace(row, cells=())
