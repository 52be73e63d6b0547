"""The pages of imports, for administrators and supervisors."""

import tempfile
from io import TextIOWrapper
from typing import Any, Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.backoffice import jobs, navigation, pages
from crm.backoffice.imports import choosing, showing, steps, storing
from crm.backoffice.imports.models import ImportJob, Stage, Upload
from crm.backoffice.imports.rows import all_rows, page_of
from crm.backoffice.imports.settings import Settings
from crm.backoffice.imports.work import sight_of
from crm.errors import CallerError, NotFound
from crm.importing.guessing import ColumnMapping
from crm.importing.kinds import KINDS
from crm.importing.outcomes import Outcome
from crm.importing.report import ReportFile
from crm.importing.service import guess, open_upload
from crm.importing.sheet import MAX_UPLOAD
from crm.importing.table import BrokenFileError
from crm.jobs.failures import Failure
from crm.users.models import User

PAGE: Final = 50
LISTED: Final = 20
TITLE = gettext_lazy("Import")

navigation.add(navigation.Entry(navigation.Group.WORK, TITLE, "upload_file", "imports", order=60))


@pages.page("imports/", name="imports", title=TITLE)
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """The form for a new file, and the imports that there were."""
    if request.method != "POST":
        return imports_page(request)
    reader = pages.reader(request)
    kind = request.POST.get("kind", "")
    try:
        upload = steps.bring(actor=reader, kind=kind, file=request.FILES.get("file"))
    except (BrokenFileError, CallerError) as error:
        status = error.status if isinstance(error, CallerError) else 422
        return imports_page(request, sentence=str(error), kind=kind, status=status)
    return HttpResponseRedirect(reverse("admin:import_columns", args=[upload.pk]))


def imports_page(
    request: HttpRequest, *, sentence: str = "", kind: str = "", status: int = 200
) -> HttpResponse:
    """The first page, with what was wrong with a file."""
    reader = pages.reader(request)
    rows = Upload.objects.visible_to(reader).select_related("owner").order_by("-created_at", "-pk")
    page = Paginator(rows, LISTED).get_page(request.GET.get("page"))
    context = {
        "sentence": sentence,
        "kinds": [(one.name, one.label) for one in KINDS.values()],
        "kind": kind or next(iter(KINDS), ""),
        "limit": MAX_UPLOAD // (1024 * 1024),
        "rows": showing.lines(list(page.object_list)),
        "page": page,
        "with_owners": reader.is_admin,
    }
    answer = pages.render(request, "imports/imports.html", context, title=TITLE)
    answer.status_code = status
    return answer


@pages.page("imports/<uuid:pk>/columns/", name="import_columns", title=TITLE)
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Which column holds what; the form starts the check."""
    reader = pages.reader(request)
    upload = steps.found(reader, pk)
    steps.refuse_others(upload, reader)
    here = reverse("admin:import", args=[upload.pk])
    if upload.file_path is None or steps.has_begun(upload):
        return HttpResponseRedirect(here)
    if request.method != "POST":
        return columns_page(request, upload)
    given = request.POST.dict()
    try:
        with storing.opened(upload.file_path) as file:
            name, line = choosing.read_sheet(given)
            sheet = open_upload(file, sheet=name, header_line=line)
            chosen = choosing.read_settings(given, upload=upload, sheet=sheet, user=reader)
            steps.ask_check(upload, actor=reader, chosen=chosen, sheet=sheet)
    except (BrokenFileError, CallerError, Failure) as error:
        status = error.status if isinstance(error, CallerError) else 422
        return columns_page(request, upload, sentence=str(error), status=status)
    return HttpResponseRedirect(here)


def columns_page(
    request: HttpRequest, upload: Upload, *, sentence: str = "", status: int = 200
) -> HttpResponse:
    """The columns as they were chosen last, else as they are guessed."""
    given = (request.POST if request.method == "POST" else request.GET).dict()
    context: dict[str, Any] = {"upload": upload, "sentence": sentence, "step": 2}
    try:
        context |= columns_context(request, upload, given)
    except (BrokenFileError, Failure) as error:
        context["sentence"], status = context["sentence"] or str(error), status if sentence else 422
        try:
            context |= columns_context(request, upload, {})
        except (BrokenFileError, Failure):
            context["unreadable"] = True
    answer = pages.render(request, "imports/columns.html", context, title=title_of(upload))
    answer.status_code = status
    return answer


def columns_context(request: HttpRequest, upload: Upload, given: dict[str, Any]) -> dict[str, Any]:
    """What the page of the columns shows. Raises BrokenFileError, Failure."""
    reader = pages.reader(request)
    kind = KINDS[upload.kind]
    last = None if given else steps.latest_job(upload, stage=Stage.CHECK)
    stored = None if last is None else last.settings
    name, line = (
        choosing.read_sheet(given) if stored is None else (stored["sheet"], stored["header_line"])
    )
    with storing.opened(upload.file_path) as file:
        sheet = open_upload(file, sheet=name, header_line=line)
    chosen, by_contents = choosing.first_settings(upload, sheet)
    if request.method == "POST" and given:
        chosen = choosing.read_settings(given, upload=upload, sheet=sheet, user=reader)
    elif stored is not None:
        chosen = Settings.of_json(stored)
    if chosen.mapping.fields != guess(upload.kind, sheet).fields:
        by_contents = frozenset()
    mapping = ColumnMapping(tuple(chosen.fields), by_contents)
    return {
        "sheet": sheet,
        "columns": choosing.choices_of(sheet, mapping),
        "fields": choosing.fields_of(kind),
        "missing": kind.fields.missing(mapping),
        "left_out": len(mapping.unknown(sheet.header)),
        "chosen": chosen,
        "cities": choosing.cities_for(reader),
        "types": kind.types,
        "kind_label": kind.label,
    }


@pages.page("imports/<uuid:pk>/", name="import", title=TITLE)
@require_safe
def one_import(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is; what the check says of each row; what the run did."""
    reader = pages.reader(request)
    upload = steps.found(reader, pk)
    job = steps.latest_job(upload)
    if job is None:
        if upload.owner_id == reader.pk and upload.file_path is not None:
            return HttpResponseRedirect(reverse("admin:import_columns", args=[upload.pk]))
        raise NotFound
    job.upload = upload
    context = showing.context_of(job, reader)
    if job.has_ended and job.totals and may_see(job, reader):
        outcome = outcome_of(request)
        page = page_of(upload, job.stage, outcome=outcome, number=number_of(request), size=PAGE)
        context |= {
            "rows": showing.rows(upload, page.rows),
            "page": page,
            "outcome": outcome or "",
            "tabs": showing.tabs(job, outcome),
        }
    return pages.render(request, "imports/import.html", context, title=title_of(upload))


def title_of(upload: Upload) -> str:
    """What stands above an import's pages."""
    return _("Import: %(name)s") % {"name": upload.name}


def may_see(job: ImportJob, reader: User) -> bool:
    """Its rows were for eyes of one role and territory."""
    return reader.is_admin or job.sight == sight_of(reader)


def outcome_of(request: HttpRequest) -> Outcome | None:
    """Which rows are asked for; None: all."""
    asked = request.GET.get("outcome", "")
    return Outcome(asked) if asked in Outcome.values else None


def number_of(request: HttpRequest) -> int:
    """Which page is asked for; the first one, when it is no number."""
    asked = request.GET.get("page", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= 7 else 1  # noqa: PLR2004 - of a million rows


@pages.page("imports/<uuid:pk>/run/", name="import_run", title=TITLE)
@require_POST
def run(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have it imported."""
    reader = pages.reader(request)
    upload = steps.found(reader, pk)
    try:
        steps.ask_run(upload, actor=reader)
    except CallerError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("admin:import", args=[upload.pk]))


@pages.page("imports/<uuid:pk>/cancel/", name="import_cancel", title=TITLE)
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End what is being done."""
    upload = steps.found(pages.reader(request), pk)
    if not steps.cancel(upload):
        messages.info(request, _("It had ended already."))
    return HttpResponseRedirect(reverse("admin:import", args=[upload.pk]))


@pages.page("imports/<uuid:pk>/discard/", name="import_discard", title=TITLE)
@require_POST
def discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Remove the file."""
    upload = steps.found(pages.reader(request), pk)
    try:
        steps.discard(upload)
    except CallerError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:import", args=[upload.pk]))
    messages.success(request, _("The file “%(name)s” is removed.") % {"name": upload.name})
    return HttpResponseRedirect(reverse("admin:imports"))


@pages.page("imports/<uuid:pk>/rows.csv", name="import_rows", title=TITLE)
@require_safe
def rows_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What became of the rows, as a file; the cells of those that were left out stand behind."""
    reader = pages.reader(request)
    upload = steps.found(reader, pk)
    job = steps.latest_job(upload)
    if job is None or not job.has_ended or not may_see(job, reader):
        raise NotFound
    outcome = outcome_of(request)
    with_cells = outcome in showing.CELLS_KEPT
    header = job.settings.get("header", []) if with_cells else []
    only = tuple(Outcome) if outcome is None else (outcome,)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    report = ReportFile(text, header, only=only)
    for row in all_rows(upload, job.stage):
        report.add(row if with_cells else showing.without_cells(row))
    # The wrapper would close the file with itself.
    text.detach().seek(0)
    answer = FileResponse(
        file,
        as_attachment=True,
        filename=f"{upload.name}.{outcome or 'all'}.csv",
        content_type="text/csv; charset=utf-8",
    )
    return cast("HttpResponse", answer)


def again(job: ImportJob, actor: User) -> ImportJob:
    """See crm.backoffice.jobs.JobKind."""
    return steps.ask_again(job, actor=actor)


jobs.add(
    jobs.JobKind(
        slug="imports",
        model=ImportJob,
        title=TITLE,
        name=lambda job: f"{job.get_stage_display()}: {job.name}",
        result=lambda job: showing.told(job.totals),
        heavy=("origin", "basis", "settings"),
        links=lambda job, _reader: [
            jobs.Link(_("Open"), reverse("admin:import", args=[job.upload_id]), "open_in_new")
        ],
        again=again,
    )
)
