"""The trail in the back office: read, never written; and the history of every record, told to the port."""

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from audit.models import AuditEntry
from audit.registrations import entity_types
from audit.telling import (
    TITLES,
    entity_title,
    fetched,
    fields_of,
    history,
    models_by_name,
    record_name,
)
from clients.models import Customer
from crm.backoffice import navigation, sections, shown
from crm.backoffice.filters import choice_filter, period_filter, reference_filter
from crm.backoffice.history import history_of, tell
from crm.backoffice.lists import OfficeChangeList
from crm.backoffice.office import OfficeAdmin
from crm.backoffice.telling import Telling
from crm.changes import Action
from crm.users.models import User
from objects.models import Object, Unit
from visits.models import Visit

COLOURS = {
    Action.CREATE: shown.GREEN,
    Action.RESTORE: shown.GREEN,
    Action.DELETE: shown.RED,
    Action.LOGIN_FAILED: shown.RED,
    Action.PRUNE: shown.RED,
    Action.UPDATE: shown.BLUE,
    Action.ROLE: shown.ORANGE,
    Action.PASSWORD: shown.ORANGE,
    Action.EXPORT: shown.ACCENT,
}
LATEST = 5

tell(history)


class TrailList(OfficeChangeList):
    """A page of the trail: what its entries refer to is looked up once for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        telling = fetched(self.result_list, request.user)  # type: ignore[arg-type]
        for entry in self.result_list:
            entry.telling = telling


@admin.register(AuditEntry)
class AuditEntryAdmin(OfficeAdmin):
    """Who did what, when, from where."""

    list_title = gettext_lazy("Audit trail")
    list_display = (
        "shown_time",
        "shown_who",
        "shown_action",
        "shown_what",
        "shown_changes",
        "remote_addr",
    )
    list_display_links = ("shown_time",)
    list_filter = (
        choice_filter(
            "action", gettext_lazy("action"), [(str(code), title) for code, title in TITLES.items()]
        ),
        choice_filter(
            "entity",
            gettext_lazy("about"),
            lambda: [(name, entity_title(name)) for name in entity_types()],
            lambda value: Q(entity_type=value),
        ),
        reference_filter("actor", gettext_lazy("actor"), field="actor"),
        period_filter(gettext_lazy("day"), path="timestamp", prefix="day"),
    )
    search_column = ""
    ordering = ("-timestamp", "-id")
    sortable_by = ()
    list_per_page = 100

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return TrailList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One entry: both sides of every field."""
        entry = self.found(request, object_id)
        telling = fetched([entry], self.reader(request))
        entry.telling = telling
        context = {
            "entry": entry,
            "fields": fields_of(entry, telling),
            "action": self.shown_action(entry),
            "what": self.shown_what(entry),
            "back": "",
        }
        return self.shown(request, "audit/entry.html", entry, context)

    def title_of(self, obj: Any) -> str:
        return f"{TITLES.get(obj.action, obj.action)}: {entity_title(obj.entity_type)}"

    @admin.display(description=gettext_lazy("time"))
    def shown_time(self, obj: AuditEntry) -> Any:
        """When it happened."""
        return shown.when(obj.timestamp)

    @admin.display(description=gettext_lazy("who"))
    def shown_who(self, obj: AuditEntry) -> Any:
        """Who did it."""
        return obj.actor_name or shown.NOTHING

    @admin.display(description=gettext_lazy("action"))
    def shown_action(self, obj: AuditEntry) -> Any:
        """What they did, as a label."""
        return shown.badge(
            TITLES.get(obj.action, obj.action), COLOURS.get(Action(obj.action), shown.GREY)
        )

    @admin.display(description=gettext_lazy("about"))
    def shown_what(self, obj: AuditEntry) -> Any:
        """To what: with a link to those that have a page."""
        telling: Telling = obj.telling
        name = record_name(obj, telling)
        text = f"{entity_title(obj.entity_type)} {name}".strip()
        model = models_by_name().get(obj.entity_type)
        if obj.entity_id is None or model is None or not self.admin_site.is_registered(model):
            return text
        opts = model._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.entity_id])
        return shown.link(url, text)

    @admin.display(description=gettext_lazy("changes"))
    def shown_changes(self, obj: AuditEntry) -> Any:
        """The fields that changed, by name."""
        if obj.action != Action.UPDATE:
            return shown.NOTHING
        return shown.short(", ".join(str(one.title) for one in fields_of(obj, obj.telling)), 90)


def history_section(request: HttpRequest, record: Any) -> sections.Section | None:
    """The latest changes, before and after."""
    reader: User = request.user  # type: ignore[assignment]
    events = history_of(str(record._meta.model_name), record.pk, reader=reader, limit=LATEST + 1)
    # What a new record was given stands in the form above.
    told = [replace(one, fields=()) if one.action == Action.CREATE else one for one in events]
    opts = record._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_history", args=[record.pk])
    return sections.Section(
        template="backoffice/section_events.html",
        context={"events": told[:LATEST]},
        more=url if len(events) > LATEST else "",
    )


for kind in (Object, Unit, Customer, Visit, User):
    sections.section(kind, title=gettext_lazy("history"), order=90, beside=True)(history_section)

navigation.add(
    navigation.Entry(
        navigation.Group.CONTROL,
        gettext_lazy("Audit trail"),
        "history",
        "audit_auditentry_changelist",
        order=90,
    )
)
