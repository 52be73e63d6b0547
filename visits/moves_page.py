"""The buttons of a visit's page: started, called off, planned again. One click each, under the shown version.

Finishing is not among them: it needs an outcome, which the form asks for. Another engineer is a field of it.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.backoffice import pages
from crm.backoffice.pages import reader
from crm.editing import StaleRecord
from crm.errors import CallerError, Invalid, NotFound, Sentence
from visits.models import Visit
from visits.services import cancel_visit, reopen_visit, start_visit
from visits.transitions import VisitStatus, allowed_moves

Work = Callable[..., Visit]


def cancelled(**asked: Any) -> Visit:
    """Called off, with nothing to add."""
    return cancel_visit(changes={}, **asked)


# The status that a button leads to: its name in the form, its service, what it says, and its icon.
MOVES: Final[dict[VisitStatus, tuple[str, Work, Sentence, str]]] = {
    VisitStatus.IN_PROGRESS: ("start", start_visit, gettext_lazy("Start"), "play_arrow"),
    VisitStatus.CANCELLED: ("cancel", cancelled, gettext_lazy("Cancel the visit"), "event_busy"),
    VisitStatus.PLANNED: ("reopen", reopen_visit, gettext_lazy("Plan again"), "event_repeat"),
}


def buttons_of(visit: Visit) -> list[tuple[str, Sentence, str]]:
    """The moves that this visit can make with one click: name, title, icon."""
    allowed = allowed_moves(visit.status, may_reopen=True)
    return [(name, title, icon) for to, (name, _w, title, icon) in MOVES.items() if to in allowed]


@pages.page("visit-moves/<uuid:record_id>/", name="visit_move", title=gettext_lazy("Visit"))
def move_visit(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Do what the button says, and say so."""
    answer: HttpResponse = require_POST(moved)(request, record_id)
    return answer


def moved(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """The move itself. Raises Invalid for a form that is none of ours."""
    services = {name: work for name, work, _title, _icon in MOVES.values()}
    work = services.get(request.POST.get("move", ""))
    try:
        version = int(request.POST.get("version", ""))
    except ValueError:
        work = None
        version = 0
    if work is None:
        raise Invalid({"version": _("The form is incomplete: load the page again.")})
    try:
        visit = work(actor=reader(request), record_id=record_id, version=version)
    except NotFound:
        raise Http404 from None
    except StaleRecord:
        messages.warning(
            request, _("Somebody else changed this visit meanwhile, and nothing was done.")
        )
    except CallerError as error:
        fields = error.details.get("fields", {})
        told = " ".join(str(one) for some in fields.values() for one in some)
        messages.error(request, told or str(error.message))
    else:
        status = visit.get_status_display()
        messages.success(request, _("The visit is now: %(status)s.") % {"status": status})
    return HttpResponseRedirect(reverse("admin:visits_visit_change", args=[record_id]))
