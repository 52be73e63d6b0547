"""Refused edits of phones: what somebody typed in a cellar and the server could not take, with both sides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from crm.backoffice import navigation, shown
from crm.backoffice.filters import choice_filter, period_filter, reference_filter
from crm.backoffice.office import OfficeAdmin
from crm.backoffice.pages import reader
from crm.backoffice.telling import Telling
from crm.changes import snapshot
from crm.errors import Code
from crm.users.models import User
from sync.batch import DELETE
from sync.entities import BY_NAME
from sync.outcomes import ItemCode
from sync.refused import RefusedItem, deal_with

OPEN, DEALT = "open", "dealt"
REASONS = {
    Code.CONFLICT: gettext_lazy("changed by somebody else"),
    Code.VALIDATION_ERROR: gettext_lazy("breaks a rule"),
    Code.DUPLICATE: gettext_lazy("exists already"),
    Code.FORBIDDEN: gettext_lazy("not allowed"),
    Code.NOT_FOUND: gettext_lazy("not in their sight"),
    ItemCode.DELETED: gettext_lazy("deleted"),
    ItemCode.DEPENDENCY_FAILED: gettext_lazy("what it needs was refused"),
}
KNOWN_REASONS = [(str(code), label) for code, label in REASONS.items()]


@dataclass(frozen=True, slots=True)
class Pair:
    """One field: what was typed, and what is stored now."""

    title: str
    typed: str
    stored: str

    @property
    def differs(self) -> bool:
        return self.typed != self.stored


@admin.register(RefusedItem)
class RefusedItemAdmin(OfficeAdmin):
    """What phones sent and the server refused. Kept 30 days."""

    list_display = (
        "shown_when",
        "shown_who",
        "shown_what",
        "shown_reason",
        "shown_message",
        "shown_state",
    )
    related = ("user", "city", "dealt_with_by")
    list_filter = (
        choice_filter(
            "state",
            gettext_lazy("state"),
            [(OPEN, gettext_lazy("not dealt with")), (DEALT, gettext_lazy("dealt with"))],
            lambda value: Q(dealt_with_at__isnull=value == OPEN),
        ),
        reference_filter("user", gettext_lazy("engineer"), field="user"),
        choice_filter(
            "reason", gettext_lazy("reason"), KNOWN_REASONS, lambda value: Q(error_code=value)
        ),
        period_filter(gettext_lazy("day"), path="refused_at", prefix="day"),
    )
    search_column = ""
    ordering = ("-refused_at", "-id")
    sortable_by = ()
    actions = ("mark_dealt_with",)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        if not (object_id.isascii() and object_id.isdigit() and len(object_id) < 19):  # noqa: PLR2004 - a 64-bit number
            return None
        return self.get_queryset(request).filter(pk=int(object_id)).first()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Of a list: its actions. A row changes by its buttons alone.
        return obj is None

    def get_urls(self) -> list[URLPattern]:
        view = require_POST(self.deal_view)
        deal = path(
            "<path:object_id>/deal/", self.admin_site.admin_view(view), name="sync_refuseditem_deal"
        )
        return [deal, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Both sides, who, when, why."""
        row: RefusedItem = self.found(request, object_id)
        pairs, record = sides_of(row, self.reader(request))
        context = {
            "row": row,
            "pairs": pairs,
            "record": record,
            "record_link": shown.record_link(record),
            "reason": self.shown_reason(row),
            "what": self.shown_what(row),
            "deletes": isinstance(row.item, dict) and row.item.get("action") == DELETE,
            "back": "",
        }
        return self.shown(request, "sync/refused.html", row, context)

    def deal_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Mark the row as dealt with, or as open again."""
        row = self.found(request, object_id)
        done = request.POST.get("done") != "no"
        deal_with(actor=self.reader(request), ids=[row.pk], done=done)
        messages.success(
            request, _("Marked as dealt with.") if done else _("Marked as not dealt with.")
        )
        return HttpResponseRedirect(reverse("admin:sync_refuseditem_change", args=[row.pk]))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A refused edit has no history."""
        return HttpResponseRedirect(reverse("admin:sync_refuseditem_change", args=[object_id]))

    @admin.action(description=gettext_lazy("Mark as dealt with"))
    def mark_dealt_with(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The chosen rows, of those in sight."""
        ids = list(queryset.values_list("pk", flat=True)[:10_000])
        number = deal_with(actor=self.reader(request), ids=ids)
        text = ngettext(
            "%(number)s edit is dealt with.", "%(number)s edits are dealt with.", number
        )
        messages.success(request, text % {"number": number})

    def title_of(self, obj: Any) -> str:
        return str(self.shown_what(obj))

    @admin.display(description=gettext_lazy("time"))
    def shown_when(self, obj: RefusedItem) -> Any:
        """When it was refused last."""
        return shown.when(obj.refused_at)

    @admin.display(description=gettext_lazy("who"))
    def shown_who(self, obj: RefusedItem) -> Any:
        """Who typed it."""
        return obj.user.full_name

    @admin.display(description=gettext_lazy("what"))
    def shown_what(self, obj: RefusedItem) -> Any:
        """The kind of record, and its name where the edit has one."""
        entity = BY_NAME.get(obj.table)
        kind = str(entity.model._meta.verbose_name) if entity else obj.table
        payload = payload_of(obj)
        names = (
            payload.get(key) for key in ("address", "full_name", "unit_number", "outcome_text")
        )
        name = next((str(one) for one in names if isinstance(one, str) and one), "")
        return f"{kind} {shown.short(name, 50)}" if name else kind

    @admin.display(description=gettext_lazy("reason"))
    def shown_reason(self, obj: RefusedItem) -> Any:
        """Why, as a label."""
        colour = shown.ORANGE if obj.error_code == Code.CONFLICT else shown.RED
        known: Mapping[Any, Any] = REASONS
        return shown.badge(known.get(obj.error_code, obj.error_code or obj.status), colour)

    @admin.display(description=gettext_lazy("message"))
    def shown_message(self, obj: RefusedItem) -> Any:
        """What the phone was told."""
        return shown.short(obj.message, 70)

    @admin.display(description=gettext_lazy("state"))
    def shown_state(self, obj: RefusedItem) -> Any:
        """Whether somebody has seen to it."""
        if obj.dealt_with_at is None:
            return shown.badge(_("not dealt with"), shown.ORANGE)
        return shown.badge(_("dealt with"), shown.GREEN)


def payload_of(row: RefusedItem) -> dict[str, Any]:
    """What the phone wanted to write; whatever it sent instead of fields is nothing."""
    payload = row.item.get("payload") if isinstance(row.item, dict) else None
    return payload if isinstance(payload, dict) else {}


def sides_of(row: RefusedItem, reader: User) -> tuple[list[Pair], Any]:
    """Each field of the edit beside what is stored now, and the record where the reader sees it."""
    entity = BY_NAME.get(row.table)
    payload = payload_of(row)
    if entity is None:
        return [
            Pair(str(name), shown.short(str(value), 500), "") for name, value in payload.items()
        ], None
    model: Any = entity.model
    related = [entity.model.object_path()] if entity.model.object_path() else []
    rows = model.objects.visible_to(reader).select_related(*related)
    record = rows.filter(pk=row.record_id).first()
    stored = {} if record is None else snapshot(record)
    telling = Telling(reader)
    telling.fetch(model, [payload, stored])
    return [
        Pair(
            telling.title(model, str(name)),
            telling.text(model, str(name), value),
            telling.text(model, str(name), stored.get(str(name))),
        )
        for name, value in payload.items()
    ], record


def open_items(request: HttpRequest) -> str:
    """How many wait to be looked at, for the navigation."""
    rows = RefusedItem.objects.visible_to(reader(request)).open()
    number = rows.values("pk")[:100].count()
    return "" if not number else ("99+" if number > 99 else str(number))  # noqa: PLR2004 - two digits


navigation.add(
    navigation.Entry(
        navigation.Group.CONTROL,
        gettext_lazy("Refused edits"),
        "sync_problem",
        "sync_refuseditem_changelist",
        order=10,
        badge=open_items,
        query="state=open",
    )
)
