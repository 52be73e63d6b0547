"""A job over many records on its page: what was asked for, the counts, and what could not be done."""

import csv
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.backoffice import jobs, pages, shown
from crm.backoffice.bulk import running
from crm.backoffice.bulk.actions import BulkAction, action_of
from crm.backoffice.jobs import JobKind
from crm.backoffice.models import BulkJob
from crm.importing.cells import harmless
from crm.users.models import User

# The page lists so many; the file has all that the job noted.
SHOWN: Final = 100


def action_at(job: BulkJob) -> BulkAction | None:
    """The job's action; None when an update of the program took it away."""
    try:
        return action_of(job.action)
    except KeyError:
        return None


def name_of(job: BulkJob) -> str:
    """«Assign a responsible person: 30 records»."""
    action = action_at(job)
    kind = "" if action is None else str(action.model._meta.verbose_name_plural)
    title = job.action if action is None else f"{action.title} ({kind})"
    number = f"{job.number:,}".replace(",", "\u00a0")
    records = ngettext("%(number)s record", "%(number)s records", job.number) % {"number": number}
    return f"{title}: {records}"


def result_of(job: BulkJob) -> str:
    """The counts, in a few words."""
    parts = [
        (_("done: %(number)s"), job.changed),
        (_("unchanged: %(number)s"), job.unchanged),
        (_("could not: %(number)s"), job.refused),
    ]
    return ", ".join(text % {"number": number} for text, number in parts if number)


def named(job: BulkJob, reader: User, problems: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Each problem with its record's name and page, for those that the reader sees."""
    from django.contrib import admin  # noqa: PLC0415 - the site stands once apps are loaded

    action = action_at(job)
    rows: dict[UUID, Any] = {}
    model_admin: Any = None
    if action is not None:
        model_admin = admin.site.get_model_admin(action.model)
        ids = [UUID(one["id"]) for one in problems]
        seen: Any = action.model.objects
        seen = seen.in_sight_of(reader) if reader.is_admin else seen.visible_to(reader)
        path = action.model.object_path()
        related = [*model_admin.related, *([path] if path else [])]
        rows = {row.pk: row for row in seen.filter(pk__in=ids).select_related(*related)}
    told = []
    for one in problems:
        row = rows.get(UUID(one["id"]))
        name = _("record %(id)s") % {"id": one["id"]}
        told.append(
            {
                "name": name if row is None else model_admin.title_of(row),
                "url": "" if row is None else shown.change_url(row),
                "why": one["why"],
            }
        )
    return told


def facts(request: HttpRequest, job: BulkJob) -> Mapping[str, Any]:
    """What the page tells beside the progress."""
    action = action_at(job)
    return {
        "told": job.params.get("told", []),
        "problems": named(job, pages.reader(request), job.problems[:SHOWN]),
        "unlisted": job.refused - min(len(job.problems), SHOWN),
        "listed": len(job.problems),
        "left": job.number - job.position,
        "list_url": "" if action is None else shown.list_url(action.model),
    }


@pages.page("jobs/bulk/<uuid:pk>/problems.csv", name="bulk_problems", title="")
def problems_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What could not be done and why, as a table."""
    reader = pages.reader(request)
    job = BulkJob.objects.visible_to(reader).filter(pk=pk).first()
    if job is None:
        raise Http404
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="problems-{job.pk}.csv"'
    answer.headers["Cache-Control"] = "private, no-store"
    # Excel takes a file without this mark for one in the system's old encoding.
    answer.write("\ufeff")
    rows = csv.writer(answer, delimiter=";")
    rows.writerow([_("record"), _("reason"), _("address of the page")])
    for one in named(job, reader, job.problems):
        url = request.build_absolute_uri(one["url"]) if one["url"] else ""
        rows.writerow([harmless(one["name"]), harmless(one["why"]), url])
    return answer


def once_more(job: BulkJob, actor: User) -> BulkJob:
    """The rest of a job that failed or was cancelled."""
    return running.again(job, actor=actor)


jobs.add(
    JobKind(
        slug="bulk",
        model=BulkJob,
        title=gettext_lazy("Action on many records"),
        name=name_of,
        result=result_of,
        heavy=("chosen", "problems", "origin"),
        template="backoffice/bulk/job.html",
        facts=facts,
        again=once_more,
    )
)
