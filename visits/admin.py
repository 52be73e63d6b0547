"""Visits in the back office."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Min, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Customer, Interest
from crm.backoffice import columns, navigation, sections, shown
from crm.backoffice.filters import choice_filter, midnight, period_filter, reference_filter
from crm.backoffice.pages import reader
from crm.backoffice.records import RecordAdmin
from crm.backoffice.telling import name_codes
from crm.users.models import User
from objects.models import Object
from visits import bulk_actions, call_back_list, moves_page  # noqa: F401 - importing registers them
from visits.dashboard import UNFINISHED
from visits.models import Visit
from visits.services import VISITS
from visits.transitions import VisitStatus

COLOURS = {
    VisitStatus.PLANNED: shown.BLUE,
    VisitStatus.IN_PROGRESS: shown.ORANGE,
    VisitStatus.DONE: shown.GREEN,
    VisitStatus.CANCELLED: shown.GREY,
}
SHOWN = 10

name_codes(Visit, "interests", Interest.choices)


def status_badge(visit: Visit) -> Any:
    """The status as a label."""
    return shown.badge(visit.get_status_display(), COLOURS[VisitStatus(visit.status)])


def callback(value: str) -> Q:
    """Visits with a call-back: late, or still to come."""
    now = timezone.now()
    if value == "overdue":
        return Q(next_action_due_at__lt=now)
    return Q(next_action_due_at__gte=now)


STATUSES = [*VisitStatus.choices, (UNFINISHED, gettext_lazy("not finished"))]


def in_status(value: str) -> Q:
    """Visits of a status; "not finished" is either of the first two."""
    if value == UNFINISHED:
        return Q(status__in=(VisitStatus.PLANNED, VisitStatus.IN_PROGRESS))
    return Q(status=value)


TIMES = [
    ("today", gettext_lazy("today")),
    ("tomorrow", gettext_lazy("tomorrow")),
    ("week", gettext_lazy("next 7 days")),
    ("missed", gettext_lazy("missed")),
]


def planned(value: str) -> Q:
    """Visits of a stretch of local days; "missed": their day is over, and they are still planned."""
    today = timezone.localdate()
    if value == "missed":
        return Q(scheduled_at__lt=midnight(today), status=VisitStatus.PLANNED)
    first = today + timedelta(days=1 if value == "tomorrow" else 0)
    last = first + timedelta(days=7 if value == "week" else 1)
    return Q(scheduled_at__gte=midnight(first), scheduled_at__lt=midnight(last))


@admin.register(Visit)
class VisitAdmin(RecordAdmin):
    """Visits: planned, in progress, done."""

    services = VISITS
    change_list_template = "visits/visit_list.html"
    change_form_template = "visits/visit_form.html"
    list_display = (
        "shown_scheduled",
        "shown_status",
        "shown_object",
        "shown_customer",
        "shown_engineer",
        "shown_outcome",
        "shown_due",
    )
    related = ("object__city", "unit", "customer", "engineer")
    list_filter = (
        choice_filter("when", gettext_lazy("when"), TIMES, planned),
        choice_filter("status", gettext_lazy("status"), STATUSES, in_status),
        reference_filter("engineer", gettext_lazy("engineer"), field="engineer"),
        period_filter(gettext_lazy("scheduled"), path="scheduled_at", prefix="day"),
        reference_filter("object", gettext_lazy("object"), field="object"),
        choice_filter(
            "callback",
            gettext_lazy("call-back"),
            [("overdue", gettext_lazy("overdue")), ("coming", gettext_lazy("coming"))],
            callback,
        ),
    )
    search_hint = gettext_lazy("Address, engineer, customer, outcome")
    sortable_by = ("shown_scheduled", "shown_due")
    ordering = ("-scheduled_at", "-id")
    depends = {"unit": "object", "customer": "object"}
    word_fields = {"interests": Interest.choices}
    fieldsets = (
        (None, {"fields": ("object", ("unit", "customer"), "engineer", "scheduled_at", "status")}),
        (
            gettext_lazy("Outcome"),
            {
                "fields": (
                    "outcome_text",
                    "interests",
                    "next_action_due_at",
                    "started_at",
                    "finished_at",
                )
            },
        ),
        (
            gettext_lazy("Where it was finished"),
            {"fields": (("geo_captured_lat", "geo_captured_lng"),)},
        ),
        (
            gettext_lazy("Kept by the server"),
            {"classes": ("collapse",), "fields": (("created_at", "updated_at"), "version")},
        ),
    )
    add_fieldsets = (
        (None, {"fields": ("object", ("unit", "customer"), "engineer", "scheduled_at")}),
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        """Call-backs go by their time: by the visit's, the few late ones would be looked for among all."""
        if request.GET.get("callback"):
            return ("next_action_due_at", "id")
        return super().get_ordering(request)

    def title_of(self, obj: Any) -> str:
        return _("visit %(address)s, %(when)s") % {
            "address": obj.object.address,
            "when": shown.moment(obj.scheduled_at),
        }

    @admin.display(description=gettext_lazy("scheduled"), ordering="scheduled_at")
    def shown_scheduled(self, obj: Visit) -> Any:
        """When it is to take place."""
        return shown.when(obj.scheduled_at)

    @admin.display(description=gettext_lazy("status"))
    def shown_status(self, obj: Visit) -> Any:
        """The status as a label."""
        return status_badge(obj)

    @admin.display(description=gettext_lazy("object"))
    def shown_object(self, obj: Visit) -> Any:
        """The building, and the flat."""
        unit = (
            f", {_('unit')} {obj.unit.unit_number}" if obj.unit and not obj.unit.is_deleted else ""
        )
        return shown.record_link(obj.object, f"{obj.object.address}{unit}")

    @admin.display(description=gettext_lazy("customer"))
    def shown_customer(self, obj: Visit) -> Any:
        """Whom it is to, unless they are deleted."""
        if obj.customer is None or obj.customer.is_deleted:
            return shown.NOTHING
        return shown.record_link(
            obj.customer, obj.customer.full_name or shown.spaced(obj.customer.phone or "—")
        )

    @admin.display(description=gettext_lazy("engineer"))
    def shown_engineer(self, obj: Visit) -> Any:
        """Who goes."""
        return obj.engineer.full_name

    @admin.display(description=gettext_lazy("outcome"))
    def shown_outcome(self, obj: Visit) -> Any:
        """How it ended."""
        return shown.short(obj.outcome_text, 60)

    @admin.display(description=gettext_lazy("call back"), ordering="next_action_due_at")
    def shown_due(self, obj: Visit) -> Any:
        """When to call back."""
        return shown.due(obj.next_action_due_at)


def visits_section(rows: QuerySet[Any], more: str, add: str) -> sections.Section:
    """Visits of an object or customer, the latest first."""
    found = list(rows.select_related("engineer").order_by("-scheduled_at", "-pk")[: SHOWN + 1])
    return sections.Section(
        headers=(_("scheduled"), _("status"), _("engineer"), _("outcome"), _("call back")),
        rows=[
            (
                shown.link(shown.change_url(one), shown.moment(one.scheduled_at)),
                status_badge(one),
                one.engineer.full_name,
                shown.short(one.outcome_text, 60),
                shown.due(one.next_action_due_at),
            )
            for one in found[:SHOWN]
        ],
        empty=_("No visits yet."),
        count=sections.count_of(found, SHOWN),
        more=more if len(found) > SHOWN else "",
        add=add,
    )


@sections.section(Object, title=gettext_lazy("visits"), order=30)
def visits_of_object(request: HttpRequest, record: Object) -> sections.Section:
    """Who was there, and who will be."""
    rows = Visit.objects.visible_to(reader(request)).filter(object_id=record.pk)
    add = reverse("admin:visits_visit_add")
    return visits_section(
        rows, shown.list_url(Visit, object=record.pk), f"{add}?object={record.pk}"
    )


@sections.section(Customer, title=gettext_lazy("visits"), order=30)
def visits_of_customer(request: HttpRequest, record: Customer) -> sections.Section:
    """Who talked to them."""
    rows = Visit.objects.visible_to(reader(request)).filter(customer_id=record.pk)
    add = reverse("admin:visits_visit_add")
    return visits_section(
        rows,
        shown.list_url(Visit, object=record.object_id),
        f"{add}?object={record.object_id}&customer={record.pk}",
    )


def next_callbacks(ids: Sequence[UUID], reader: User) -> Mapping[UUID, Any]:
    """Object → when to call back there next."""
    rows = Visit.objects.visible_to(reader).filter(
        object_id__in=ids, next_action_due_at__isnull=False
    )
    soonest = rows.order_by().values("object_id").annotate(due=Min("next_action_due_at"))
    return {row["object_id"]: shown.due(row["due"]) for row in soonest}


columns.add(Object, columns.Column("next_callback", gettext_lazy("call back"), next_callbacks))
navigation.add(
    navigation.Entry(
        navigation.Group.WORK, gettext_lazy("Visits"), "event", "visits_visit_changelist", order=20
    )
)
