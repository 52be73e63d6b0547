"""«К прозвону»: promised call-backs, soonest first; done or put off with one click.

Done clears the promise, put off moves it; both are edits of the visit under the version that the page showed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.backoffice import navigation, pages, shown
from crm.backoffice.filters import midnight
from crm.backoffice.lists import HonestPaginator
from crm.backoffice.pages import reader
from crm.editing import StaleRecord
from crm.errors import Invalid, NotFound, Sentence
from crm.searching import matching
from crm.users.models import User
from visits.figures import MOST_IN_BADGE, overdue_for_badge
from visits.models import Visit
from visits.services import postpone_call_back, settle_call_back

PER_PAGE: Final = 50
# The API's reminders look a week ahead as well.
WEEK: Final = timedelta(days=7)
POSTPONED: Final = {"tomorrow": 1, "3days": 3, "week": 7}
# What the address may narrow the list by.
PARAMETERS: Final = ("when", "q", "p")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the list."""

    code: str
    title: Sentence
    rows: Callable[[Any], Any]


def overdue(rows: Any) -> Any:
    """Their time is past."""
    return rows.overdue(timezone.now())


def today(rows: Any) -> Any:
    """Still to come today."""
    tomorrow = midnight(timezone.localdate() + timedelta(days=1))
    return rows.promised(since=timezone.now()).filter(next_action_due_at__lt=tomorrow)


def this_week(rows: Any) -> Any:
    """What the API's reminders hold unless told otherwise: late, or due within a week."""
    return rows.due_by(timezone.now() + WEEK)


STRETCHES: Final = (
    Stretch("", gettext_lazy("overdue and next 7 days"), this_week),
    Stretch("overdue", gettext_lazy("overdue"), overdue),
    Stretch("today", gettext_lazy("today"), today),
    Stretch("all", gettext_lazy("all"), lambda rows: rows.promised()),
)


def listed(request: HttpRequest) -> tuple[Stretch, QuerySet[Visit]]:
    """The part that is asked for, and its rows. Raises Invalid for what nobody knows."""
    code = request.GET.get("when", "")
    part = next((one for one in STRETCHES if one.code == code), None)
    if part is None or set(request.GET) - set(PARAMETERS):
        raise Invalid({"when": _("Unknown parameter or value.")})
    rows = part.rows(Visit.objects.visible_to(reader(request)))
    words = request.GET.get("q", "").strip()
    if words:
        rows = rows.filter(matching("search_text", words, private=True))
    return part, rows


@pages.page("call-backs/", name="call_backs", title=gettext_lazy("Call-backs"))
def call_back_list(request: HttpRequest) -> HttpResponse:
    """The list."""
    part, rows = listed(request)
    rows = rows.select_related(
        "object__city", "unit", "customer", "engineer", "object__responsible_user"
    ).order_by("next_action_due_at", "pk")
    pages_of: Paginator = HonestPaginator(rows, PER_PAGE)
    page = pages_of.get_page(request.GET.get("p"))
    now = timezone.now()
    context = {
        "rows": [Row(visit, now) for visit in page],
        "page": page,
        "estimated": getattr(pages_of, "estimated", False),
        "stretches": STRETCHES,
        "part": part,
        "words": request.GET.get("q", ""),
        "query": query_of(request),
        "before": query_of(request, p=str(page.number - 1)),
        "after": query_of(request, p=str(page.number + 1)),
        "tomorrow": (timezone.localdate() + timedelta(days=1)).isoformat(),
    }
    return pages.render(request, "visits/call_backs.html", context, title=_("Call-backs"))


@dataclass(frozen=True, slots=True)
class Row:
    """One promised call."""

    visit: Visit
    now: datetime

    @property
    def late(self) -> bool:
        """Whether its time is past."""
        return bool(self.visit.next_action_due_at and self.visit.next_action_due_at < self.now)

    @property
    def phone(self) -> str | None:
        """The customer's, else the contact's of the building."""
        customer = self.visit.customer
        if customer is not None and not customer.is_deleted and customer.phone:
            return str(customer.phone)
        return self.visit.object.contact_phone

    @property
    def name(self) -> str:
        """Who is to be called."""
        customer = self.visit.customer
        if customer is not None and not customer.is_deleted:
            return str(customer.full_name or _("no name"))
        return str(self.visit.object.contact_name or "")

    @property
    def place(self) -> str:
        """The building, and the flat."""
        unit = self.visit.unit
        flat = f", {_('unit')} {unit.unit_number}" if unit and not unit.is_deleted else ""
        return f"{self.visit.object.address}{flat}"

    @property
    def seen_since(self) -> datetime | None:
        """A later visit to the object, if there was one: the promise may have been kept at the door."""
        last, own = self.visit.object.last_visit_at, self.visit.finished_at
        return last if last and own and last > own else None

    @property
    def follow_up(self) -> str:
        """The form of a new visit to the same people."""
        given = {"object": self.visit.object_id, "unit": self.visit.unit_id}
        given |= {"customer": self.visit.customer_id, "engineer": self.visit.engineer_id}
        asked = urlencode({name: value for name, value in given.items() if value})
        return f"{reverse('admin:visits_visit_add')}?{asked}"


def query_of(request: HttpRequest, **changed: str) -> str:
    """The list's own parameters, to come back to it."""
    given = {name: request.GET.get(name, "") for name in PARAMETERS}
    return urlencode({name: value for name, value in {**given, **changed}.items() if value})


@pages.page("call-backs/<uuid:record_id>/", name="call_back", title=gettext_lazy("Call-backs"))
def deal_with_call_back(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """One click: done, or put off."""
    answer: HttpResponse = require_POST(dealt_with)(request, record_id)
    return answer


def dealt_with(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Do it, say what was done or why not, and go back to the list."""
    actor, choice = reader(request), request.POST.get("choice", "")
    try:
        version = int(request.POST.get("version", ""))
    except ValueError:
        raise Invalid({"version": _("The form is incomplete: load the page again.")}) from None
    try:
        if choice == "done":
            visit = settle_call_back(actor=actor, record_id=record_id, version=version)
            told = _("Call made: {name}.")
        else:
            until = postponed_to(actor, record_id, choice, request.POST.get("day", ""))
            visit = postpone_call_back(
                actor=actor, record_id=record_id, until=until, version=version
            )
            told = _("Put off to {when}: {name}.")
    except StaleRecord as error:
        messages.warning(request, stale_sentence(error))
    except NotFound:
        messages.warning(request, _("There is no such visit any more, or you cannot see it."))
    except Invalid as error:
        for sentences in error.details.get("fields", {}).values():
            messages.error(request, " ".join(str(one) for one in sentences))
    else:
        name = shown.link(shown.change_url(visit), visit.object.address)
        when = shown.moment(visit.next_action_due_at)
        messages.success(request, format_html(told, name=name, when=when))
    query = query_of(request)
    back = reverse("admin:call_backs")
    return HttpResponseRedirect(f"{back}?{query}" if query else back)


def postponed_to(actor: User, record_id: UUID, choice: str, given: str) -> datetime:
    """The new moment: another day at the time of day that was promised. Raises NotFound, Invalid."""
    visit = Visit.objects.visible_to(actor).filter(pk=record_id).first()
    if visit is None:
        raise NotFound
    try:
        day = parse_date(given) if choice == "day" else None
    except ValueError:
        day = None
    if choice in POSTPONED:
        day = timezone.localdate() + timedelta(days=POSTPONED[choice])
    if day is None:
        raise Invalid({"next_action_due_at": _("Choose a day to put the call off to.")})
    return on_day(day, visit.next_action_due_at)


def on_day(day: date, promised: datetime | None) -> datetime:
    """That local day, at the time of day of the promise."""
    clock = timezone.localtime(promised).time() if promised else time(10)
    return timezone.make_aware(datetime.combine(day, clock))


def stale_sentence(error: StaleRecord) -> str:
    """What somebody else has made of the call-back meanwhile."""
    due = getattr(error.record, "next_action_due_at", None)
    if due is None:
        return _("Somebody else has already dealt with this call-back.")
    return _(
        "Somebody else changed this visit meanwhile, and nothing was done. To be called back: %(when)s."
    ) % {"when": shown.moment(due)}


def late_call_backs(request: HttpRequest) -> str:
    """How many are late, for the navigation."""
    late = overdue_for_badge(reader(request)).value
    if late.more:
        return f"{MOST_IN_BADGE}+"
    return str(late.number) if late else ""


navigation.add(
    navigation.Entry(
        navigation.Group.WORK,
        gettext_lazy("Call-backs"),
        "phone_callback",
        "call_backs",
        order=25,
        badge=late_call_backs,
    )
)
