"""Reports in the back office: every list can be exported as it is narrowed, and jobs show how far that is."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from crm.api.listing import total_of
from crm.backoffice import jobs, list_buttons, pages, shown
from crm.backoffice.bulk.asking import how_many
from crm.backoffice.jobs import JobKind, Link
from crm.backoffice.pages import reader
from crm.errors import CallerError
from crm.jobs.models import JobStatus
from crm.users.models import User
from reports import dashboard  # noqa: F401 - importing registers its card
from reports.columns import TITLES, catalogue
from reports.downloading import download
from reports.models import ReportFormat, ReportJob
from reports.office_lists import MODELS, model_admin_of, sort_of, translated
from reports.selecting import LISTS, Selection
from reports.services import request_export


class ExportForm(forms.Form):
    """How the file is to be."""

    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[("xlsx", "Excel (XLSX)"), ("csv", "CSV")],
        widget=UnfoldAdminSelectWidget(),
    )
    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Columns"), widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    def __init__(self, *args: Any, entity: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = catalogue(entity)
        field: Any = self.fields["columns"]
        field.choices = [(one.key, capfirst(str(one.label))) for one in known]
        field.initial = [one.key for one in known if one.default]


def selection_of(request: HttpRequest, entity: str, columns: tuple[str, ...] = ()) -> Selection:
    """The list of the address, as a report. Raises Invalid, Forbidden."""
    person = reader(request)
    parameters = translated(entity, request.GET, person)
    listed = model_admin_of(entity).filtered(request)
    sort = sort_of(listed, LISTS[entity].sorts)
    return Selection(entity, parameters, sort, columns)


@pages.page("export/<slug:entity>/", name="export", title=gettext_lazy("Export of a list"))
def export_page(request: HttpRequest, entity: str) -> HttpResponse:
    """Says how many rows there will be, asks for format and columns, and starts the job."""
    if entity not in MODELS:
        raise Http404
    person = reader(request)
    form = ExportForm(request.POST if request.method == "POST" else None, entity=entity)
    refusal = None
    if form.is_valid():
        try:
            selection = selection_of(request, entity, tuple(form.cleaned_data["columns"]))
            job, _new = request_export(
                actor=person, selection=selection, format=form.cleaned_data["format"]
            )
        except CallerError as error:
            refusal = error
        else:
            return HttpResponseRedirect(reverse("admin:job", args=["reports", job.pk]))
    rows = selection_of(request, entity).rows(person)
    number, estimated = total_of(rows)
    back = shown.list_url(MODELS[entity])
    query = request.GET.urlencode()
    answer = pages.render(
        request,
        "reports/export.html",
        {
            "form": form,
            "refusal": refusal,
            "how_many": how_many(number, estimated=estimated),
            "nothing": number == 0,
            "entity_title": TITLES[entity],
            "narrowed": bool(query),
            "back": f"{back}?{query}" if query else back,
        },
        title=_("Export of a list"),
    )
    answer.status_code = 200 if refusal is None else refusal.status
    return answer


@pages.page("jobs/reports/<uuid:pk>/download/", name="report_download", title="")
def report_download(request: HttpRequest, pk: UUID) -> Any:
    """The file, as the API gives it out."""
    person = reader(request)
    job = ReportJob.objects.visible_to(person).select_related("owner").filter(pk=pk).first()
    if job is None:
        raise Http404
    return download(job, person)


def name_of(job: ReportJob) -> str:
    """«Экспорт: Объекты, XLSX»."""
    return _("Export: %(what)s, %(format)s") % {
        "what": TITLES[job.entity],
        "format": ReportFormat(job.format).label,
    }


def result_of(job: ReportJob) -> str:
    """How many rows, how large, or that it is gone."""
    if job.status != JobStatus.DONE:
        return ""
    if job.has_expired() or not job.file_path:
        return _("the file was kept for 7 days and is gone")
    rows = how_many(job.rows_done, estimated=False)
    return f"{rows}, {filesizeformat(job.file_size or 0)}"


def links_of(job: ReportJob, _person: User) -> list[Link]:
    """The file, while it is there."""
    if job.status != JobStatus.DONE or job.has_expired() or not job.file_path:
        return []
    url = reverse("admin:report_download", args=[job.pk])
    return [Link(_("Download"), url, "download", primary=True)]


def once_more(job: ReportJob, actor: User) -> ReportJob:
    """The same export, as things are now."""
    made, _new = request_export(
        actor=actor, selection=Selection.of_job(job), format=job.format, raw=job.raw
    )
    return made


def facts_of(_request: HttpRequest, job: ReportJob) -> dict[str, Any]:
    """What its page says beside the progress."""
    return {"result": result_of(job), "expires": job.expires_at}


def address_of(entity: str) -> list_buttons.Address:
    """Where the button of that list leads."""

    def url(request: HttpRequest) -> str:
        given = request.GET.copy()
        given.pop("p", None)
        query = given.urlencode()
        base = reverse("admin:export", args=[entity])
        return f"{base}?{query}" if query else base

    return url


for _entity, _model in MODELS.items():
    list_buttons.add(
        _model,
        list_buttons.Button(gettext_lazy("Export"), "download", address_of(str(_entity))),
    )
jobs.add(
    JobKind(
        slug="reports",
        model=ReportJob,
        title=gettext_lazy("Export of a list"),
        name=name_of,
        result=result_of,
        heavy=("origin", "columns"),
        template="reports/job.html",
        facts=facts_of,
        links=links_of,
        again=once_more,
    )
)
