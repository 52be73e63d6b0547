"""The cards of the home page: what needs me today, and how the work goes. Each number leads to its rows."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from crm.backoffice import dashboard, shown
from crm.backoffice.keeping import Kept
from crm.backoffice.pages import reader
from objects.models import Object, ObjectStatus
from visits import figures
from visits.charts import Bar, Column, columns_of, in_line, share
from visits.models import Visit
from visits.transitions import VisitStatus

# In the order in which they are stacked, from the ground up.
STACK = (
    (VisitStatus.DONE, "completed", "done"),
    (VisitStatus.IN_PROGRESS, "in_progress", "progress"),
    (VisitStatus.PLANNED, "planned", "planned"),
    (VisitStatus.CANCELLED, "cancelled", "cancelled"),
)
# The way of an object; refusals leave it.
FUNNEL = (
    (ObjectStatus.NEW, "new"),
    (ObjectStatus.INTEREST, "interest"),
    (ObjectStatus.CALLBACK, "callback"),
    (ObjectStatus.DONE, "done"),
    (ObjectStatus.REJECTED, "rejected"),
)
# The visits' list takes it for a status: planned or in progress.
UNFINISHED = "OPEN"
# So many engineers stand there at once; the rest unfold.
FIRST = 8


def counted(number: figures.Capped) -> str:
    """A number for people: «12», «10 000+»."""
    text = formats.number_format(number.number, use_l10n=True, force_grouping=True)
    return f"{text}+" if number.more else str(text)


def days_url(first: date, last: date, **more: Any) -> str:
    """The list of the visits of those local days."""
    return shown.list_url(Visit, day_from=first.isoformat(), day_to=last.isoformat(), **more)


def call_backs_url(**query: str) -> str:
    """A part of the list of call-backs."""
    base = reverse("admin:call_backs")
    return f"{base}?{urlencode(query)}" if query else base


def objects_of(request: HttpRequest) -> Kept[figures.Objects]:
    """The objects' figures, counted once for the two cards that show them."""
    known: Kept[figures.Objects] | None = getattr(request, "objects_figures", None)
    if known is None:
        known = figures.objects(reader(request))
        request.objects_figures = known  # type: ignore[attr-defined]
    return known


@dashboard.card(template="visits/cards/today.html", order=10, width=dashboard.NARROW)
def visits_today(request: HttpRequest) -> dict[str, Any]:
    """Visits of today, by status."""
    found = figures.today(reader(request))
    total = sum(found.value.values())
    parts = [
        Bar(
            label=str(status.label),
            number=found.value[status],
            share=share(found.value[status], total),
            url=shown.list_url(Visit, when="today", status=status.value),
            colour=colour,
        )
        for status, _key, colour in STACK
    ]
    return {
        "total": total,
        "url": shown.list_url(Visit, when="today"),
        "parts": parts,
        "strip": in_line(parts),
        "missed": shown.list_url(Visit, when="missed"),
    }


@dashboard.card(template="visits/cards/call_backs.html", order=20, width=dashboard.NARROW)
def call_backs(request: HttpRequest) -> dict[str, Any]:
    """Promised calls: late, and still to come today."""
    late, later = figures.call_backs(reader(request)).value
    return {
        "late": late,
        "late_text": counted(late),
        "later_text": counted(later),
        "late_url": call_backs_url(when="overdue"),
        "later_url": call_backs_url(when="today"),
        "url": call_backs_url(),
    }


@dashboard.card(template="visits/cards/nobodys.html", order=30, width=dashboard.NARROW)
def nobodys(request: HttpRequest) -> dict[str, Any]:
    """Objects that nobody is responsible for."""
    found = objects_of(request)
    return {
        "number": found.value.nobodys,
        "total": found.value.total,
        "url": shown.list_url(Object, responsible="none"),
    }


@dashboard.card(template="visits/cards/daily.html", order=40, width=8)
def visits_daily(request: HttpRequest) -> dict[str, Any]:
    """Visits of each of the last thirty days."""
    found = figures.daily(reader(request))
    days = found.value
    top = figures.highest([day["total"] for day in days])
    columns: list[Column] = columns_of(
        [
            (
                day["date"],
                days_url(day["date"], day["date"]),
                [
                    (str(status.label), day[key], colour, status.value)
                    for status, key, colour in STACK
                ],
            )
            for day in days
        ],
        top=top,
        url=days_url,
    )
    return {
        "columns": columns,
        "top": top,
        "middle": top // 2 if top % 2 == 0 else "",
        "total": sum(day["total"] for day in days),
        "url": days_url(days[0]["date"], days[-1]["date"]),
        "legend": [(str(status.label), colour) for status, _key, colour in STACK],
        "moment": found.moment,
    }


@dashboard.card(template="visits/cards/funnel.html", order=50, width=4)
def funnel(request: HttpRequest) -> dict[str, Any]:
    """How far the objects have come."""
    found = objects_of(request)
    numbers = found.value.by_status
    most = max(numbers.values(), default=0)
    return {
        "bars": [
            Bar(
                label=str(status.label),
                number=numbers[status],
                share=share(numbers[status], most),
                url=shown.list_url(Object, status=status.value),
                colour=f"object-{colour}",
                percent=round(100 * numbers[status] / found.value.total)
                if found.value.total
                else 0,
            )
            for status, colour in FUNNEL
        ],
        "total": found.value.total,
        "url": shown.list_url(Object),
        "moment": found.moment,
    }


@dashboard.card(template="visits/cards/completion.html", order=60, width=dashboard.WIDE)
def completion(request: HttpRequest) -> dict[str, Any]:
    """What came of each engineer's visits in the past thirty days."""
    found = figures.completion(reader(request))
    first, last = figures.past_days()
    lines = [line_of(one, first, last) for one in found.value]
    return {
        "first": lines[:FIRST],
        "rest": lines[FIRST:],
        "number": len(lines),
        "moment": found.moment,
    }


def line_of(one: figures.Completion, first: date, last: date) -> dict[str, Any]:
    """One engineer's line of the chart."""
    parts = [
        Bar(
            label=label,
            number=number,
            share=share(number, one.total),
            url=days_url(first, last, engineer=one.engineer_id, status=status),
            colour=colour,
        )
        for label, number, colour, status in (
            (_("done"), one.done, "done", VisitStatus.DONE.value),
            (_("left undone"), one.left, "left", UNFINISHED),
            (_("cancelled"), one.cancelled, "cancelled", VisitStatus.CANCELLED.value),
        )
    ]
    return {
        "name": one.full_name,
        "percent": round(100 * one.rate),
        "total": one.total,
        "url": days_url(first, last, engineer=one.engineer_id),
        "parts": parts,
        "strip": in_line(parts),
    }
