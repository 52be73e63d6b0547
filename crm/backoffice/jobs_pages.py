"""What runs in the background, and what became of it: a list, a page for each job, cancel, again."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backoffice import navigation, pages, shown
from crm.backoffice.jobs import JobKind, Link, kind_at, kinds
from crm.backoffice.pages import reader
from crm.errors import CallerError
from crm.jobs import running
from crm.jobs.models import JobStatus
from crm.users.models import User

PAGE: Final = 50
# Whoever looks further back narrows the list.
LAST_PAGE: Final = 20
COLOURS: Final = {
    JobStatus.PENDING: shown.GREY,
    JobStatus.PROCESSING: shown.BLUE,
    JobStatus.DONE: shown.GREEN,
    JobStatus.FAILED: shown.RED,
    JobStatus.CANCELLED: shown.GREY,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A job with what its kind says of it."""

    kind: JobKind
    job: Any
    reader: User

    @property
    def name(self) -> str:
        """What is done."""
        return self.kind.name(self.job)

    @property
    def result(self) -> str:
        """How it came out."""
        return self.kind.result(self.job)

    @property
    def url(self) -> str:
        """Its page."""
        return reverse("admin:job", args=[self.kind.slug, self.job.pk])

    @property
    def badge(self) -> Any:
        """Its status as a label."""
        return shown.badge(self.job.get_status_display(), COLOURS[JobStatus(self.job.status)])

    @property
    def links(self) -> list[Link]:
        """Its buttons."""
        return self.kind.links(self.job, self.reader)

    @property
    def cancellable(self) -> bool:
        """Whether it can still be called off."""
        return not self.job.has_ended

    @property
    def repeatable(self) -> bool:
        """Whether this person can have it tried again; a job acts as its owner, so only they can."""
        ended = self.job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
        return ended and self.kind.again is not None and self.job.owner_id == self.reader.pk


def lines(person: User, *, kind: str, status: str, everybody: bool, page: int) -> list[Line]:
    """The newest jobs in sight, one more than a page has. Ids are in the order of time."""
    found: list[Line] = []
    upto = page * PAGE + 1
    for one in kinds():
        if kind not in ("", one.slug):
            continue
        rows = one.model.objects.visible_to(person)
        if not everybody:
            rows = rows.filter(owner_id=person.pk)
        if status:
            rows = rows.filter(status=status)
        rows = rows.select_related("owner").defer(*one.heavy).order_by("-created_at", "-pk")
        found += [Line(one, job, person) for job in rows[:upto]]
    found.sort(key=lambda line: (line.job.created_at, line.job.pk), reverse=True)
    return found[upto - PAGE - 1 : upto]


@pages.page("jobs/", name="jobs", title=gettext_lazy("Jobs"))
def jobs_page(request: HttpRequest) -> HttpResponse:
    """One's own jobs; an administrator sees everybody's."""
    person = reader(request)
    asked = request.GET
    status = asked.get("status", "")
    if status not in JobStatus.values:
        status = ""
    kind = asked.get("kind", "")
    everybody = person.is_admin and asked.get("whose") != "mine"
    number = asked.get("p", "1")
    page = int(number) if number.isdecimal() and len(number) < 4 else 1  # noqa: PLR2004
    page = min(max(page, 1), LAST_PAGE)
    found = lines(person, kind=kind, status=status, everybody=everybody, page=page)
    kept = asked.copy()
    kept.pop("p", None)
    return pages.render(
        request,
        "backoffice/jobs/list.html",
        {
            "lines": found[:PAGE],
            "before": page - 1,
            "after": page + 1 if len(found) > PAGE and page < LAST_PAGE else 0,
            "query": kept.urlencode(),
            "kinds": kinds(),
            "kind": kind,
            "statuses": JobStatus.choices,
            "status": status,
            "whose": "all" if everybody else "mine",
            "active": any(not line.job.has_ended for line in found),
        },
        title=_("Jobs"),
    )


def found(request: HttpRequest, slug: str, pk: UUID) -> Line:
    """The job of an address, in the reader's sight. Raises Http404."""
    kind = kind_at(slug)
    person = reader(request)
    job = (
        kind and kind.model.objects.visible_to(person).select_related("owner").filter(pk=pk).first()
    )
    if kind is None or job is None:
        raise Http404
    return Line(kind, job, person)


@pages.page("jobs/<slug:slug>/<uuid:pk>/", name="job", title=gettext_lazy("Job"))
def job_page(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """How far a job is; when it has ended, what became of it."""
    line = found(request, slug, pk)
    return pages.render(
        request,
        "backoffice/jobs/job.html",
        {
            "line": line,
            "job": line.job,
            "state": state_of(line),
            "facts": line.kind.facts(request, line.job),
            "subtitle": line.kind.title,
        },
        title=line.name,
    )


@pages.page("jobs/<slug:slug>/<uuid:pk>/state/", name="job_state", title="")
def job_state(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """What the page asks again and again."""
    return JsonResponse(state_of(found(request, slug, pk)))


def state_of(line: Line) -> dict[str, Any]:
    """How far it is, in words and numbers."""
    job = line.job
    total = getattr(job, "number", None) or job.rows_total
    done = max(job.rows_done, getattr(job, "position", 0))
    percent = min(99, done * 100 // total) if total else job.progress
    return {
        "ended": job.has_ended,
        "status": job.status,
        "label": str(job.get_status_display()),
        "progress": 100 if job.status == JobStatus.DONE else percent,
        "rows": progress_words(done, total),
        "waits": bool(job.retry_at) and job.status == JobStatus.PENDING,
    }


def progress_words(done: int, total: int | None) -> str:
    """«1 200 из 10 000»."""

    def spaced(number: int) -> str:
        return f"{number:,}".replace(",", "\u00a0")

    if not total:
        return spaced(done) if done else ""
    return _("%(done)s of %(total)s") % {"done": spaced(done), "total": spaced(total)}


@pages.page("jobs/<slug:slug>/<uuid:pk>/cancel/", name="job_cancel", title="")
def job_cancel(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """Call it off."""
    line = found(request, slug, pk)
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if running.cancel(line.job):
        messages.success(request, _("Cancelled. What was done until now stays."))
    else:
        messages.info(request, _("It had ended already."))
    return HttpResponseRedirect(line.url)


@pages.page("jobs/<slug:slug>/<uuid:pk>/again/", name="job_again", title="")
def job_again(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    """Try a failed or cancelled one again, as a new job."""
    line = found(request, slug, pk)
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if not line.repeatable or line.kind.again is None:
        raise Http404
    try:
        job = line.kind.again(line.job, reader(request))
    except CallerError as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(line.url)
    return HttpResponseRedirect(reverse("admin:job", args=[slug, job.pk]))


navigation.add(
    navigation.Entry(
        navigation.Group.CONTROL, gettext_lazy("Jobs"), "pending_actions", "jobs", order=30
    )
)
