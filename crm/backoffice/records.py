"""The base of every page over records: sight, roles, services, locking and conflicts live here, once.

A subclass declares columns, filters, fieldsets and the services of its model. Django's admin gives lists and
forms; it never writes: each save, deletion and restore goes to the same service as the API's.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db.models import Field, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from crm.backoffice import conflicts, shown
from crm.backoffice.bulk.asking import offered
from crm.backoffice.errors import OUT_OF_DATE
from crm.backoffice.filters import DeletedFilter
from crm.backoffice.forms import RecordForm
from crm.backoffice.office import OfficeAdmin, is_list
from crm.backoffice.shown import change_url
from crm.deletion import hanging_on
from crm.editing import RecordServices, StaleRecord
from crm.errors import CallerError, Malformed, NotFound
from crm.records import Record
from crm.users.models import User

__all__ = ["OfficeAdmin", "RecordAdmin"]

COUNTED = 1000


class RecordAdmin(OfficeAdmin):
    """Pages over one of the four kinds of record."""

    form = RecordForm
    services: ClassVar[RecordServices]
    kept_fields: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "version")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.is_deleted

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.is_deleted

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        if is_list(request) and request.GET.get("deleted") == "1" and self.reader(request).is_admin:
            return self.tombstones(request)
        return super().get_queryset(request)

    def tombstones(self, request: HttpRequest) -> QuerySet[Any]:
        """What is deleted; for administrators."""
        rows: Any = self.model._default_manager.all()
        rows = rows.in_sight_of(self.reader(request)).filter(deleted_at__isnull=False)
        return self.joined(rows, request)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None and self.reader(request).is_admin:
            try:
                return self.tombstones(request).filter(pk=UUID(object_id)).first()
            except ValueError:
                return None
        return found

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (*super().get_list_filter(request), DeletedFilter)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "deleted" or super().lookup_allowed(lookup, value, request)

    def choices_for(
        self, request: HttpRequest, rows: QuerySet[Any], source: "Field[Any, Any]"
    ) -> QuerySet[Any]:
        rows = super().choices_for(request, rows, source)
        object_id = request.GET.get("object", "")
        if self.model.object_path() and object_id:
            try:
                return rows.filter(object_id=UUID(object_id))
            except ValueError:
                return rows.none()
        return rows

    def create(self, actor: User, values: dict[str, Any]) -> Any:
        return self.services.create(actor=actor, values=values)

    def save(self, request: HttpRequest, obj: Any, values: dict[str, Any], form: Any) -> Any:
        version = form.version()
        if version is None:
            raise Malformed(OUT_OF_DATE)
        return self.services.update(
            actor=self.reader(request), record_id=obj.pk, changes=values, version=version
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        gone = self.deleted_meanwhile(request, object_id)
        if gone is not None:
            return gone
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_actions(self, request: HttpRequest) -> Any:
        """Django's, and what apps can do to many of these records at once (crm.backoffice.bulk)."""
        shows_deleted = request.GET.get("deleted") == "1" and self.reader(request).is_admin
        return {
            **(super().get_actions(request) if not shows_deleted else {}),
            **offered(self.model, self.reader(request), deleted=shows_deleted),
        }

    # --- conflicts --------------------------------------------------------------------------------

    def conflict_page(self, request: HttpRequest, error: StaleRecord) -> HttpResponse:
        form: RecordForm = request.sent  # type: ignore[attr-defined]
        record = error.record
        # Read anew, with what the page names; it may even be a version later than the verdict's.
        fresh = self.get_object(request, str(record.pk)) or record
        context = conflicts.context_of(request, form, fresh, self.reader(request))
        context["subtitle"] = _("Two versions")
        answer = self.shown(request, "backoffice/conflict.html", fresh, context)
        answer.status_code = 409
        return answer

    def deleted_meanwhile(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """What was typed into a form whose record somebody has deleted; None when it was never there."""
        if request.method != "POST" or object_id is None:
            return None
        try:
            rows: Any = self.model._default_manager.all()
            rows = rows.in_sight_of(self.reader(request))
            record = rows.filter(pk=UUID(unquote(object_id)), deleted_at__isnull=False).first()
        except ValueError:
            return None
        if record is None:
            return None
        # A tombstone has no form; what was typed is read as if it were none.
        record.deleted_at = None
        request.edited = record  # type: ignore[attr-defined]
        form = self.get_form(request, record, change=True)(request.POST, instance=record)
        form.is_valid()
        typed = [
            (form[name].label, request.POST.getlist(name) or [request.POST.get(f"{name}_0", "")])
            for name in form.changed_data
        ]
        answer = self.shown(request, "backoffice/gone.html", record, {"typed": typed, "back": ""})
        answer.status_code = 409
        return answer

    # --- deleting and bringing back ---------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_restore"
        restore = path(
            "<path:object_id>/restore/",
            self.admin_site.admin_view(self.restore_view),
            name=name,
        )
        return [restore, *super().get_urls()]

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Says what goes along; deletes when told so."""
        obj = self.found(request, object_id)
        if obj.is_deleted:
            raise Http404
        return self.done_or_asked(
            request,
            obj,
            template=self.delete_confirmation_template,
            work=self.services.delete,
            sentence=_("Deleted: %(name)s."),
            after=self.back_to_list(request),
            context={"along": self.going_along(obj), "subtitle": _("Deletion")},
        )

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Says what comes back; for administrators."""
        obj = self.found(request, object_id)
        if not (obj.is_deleted and self.reader(request).is_admin):
            raise Http404
        return self.done_or_asked(
            request,
            obj,
            template="backoffice/restore.html",
            work=self.services.restore,
            sentence=_("Restored: %(name)s."),
            after=change_url(obj),
            context={"along": self.coming_back(obj), "subtitle": _("Restoring")},
        )

    def done_or_asked(
        self,
        request: HttpRequest,
        obj: Any,
        *,
        template: str,
        work: Callable[..., Any],
        sentence: str,
        after: str,
        context: dict[str, Any],
    ) -> HttpResponse:
        """Ask, or do it and say so; what the service refuses stands on the page."""
        if request.method == "POST":
            try:
                work(actor=self.reader(request), record_id=obj.pk)
            except NotFound:
                raise Http404 from None
            except CallerError as error:
                context |= {"refusal": error, "clashes": self.in_the_way(request, obj, error)}
                answer = self.shown(request, template, obj, context)
                answer.status_code = error.status
                return answer
            messages.success(request, sentence % {"name": self.title_of(obj)})
            return HttpResponseRedirect(after)
        return self.shown(request, template, obj, context)

    def in_the_way(
        self, request: HttpRequest, obj: Record, error: CallerError
    ) -> list[tuple[str, Any]]:
        """The records that hold a value which one to be restored needs: kind and value, with a link."""
        kinds = {str(kind._meta.model_name): kind for kind in (type(obj), *hanging_on(obj))}
        told = []
        for clash in error.details.get("clashes", []):
            model: Any = kinds[clash["entity_type"]]
            column = model._meta.get_field(clash["field"]).verbose_name
            rows = model.objects.visible_to(self.reader(request))
            holder = rows.filter(pk=clash["existing_id"]).first()
            told.append((f"{model._meta.verbose_name}, {column}", shown.record_link(holder)))
        return told

    def going_along(self, obj: Record) -> list[tuple[str, str]]:
        """What hangs on the record, by kind: a name and how many."""
        live = {"deleted_at__isnull": True, "object_id": obj.pk}
        return [
            (name, number)
            for model in hanging_on(obj)
            for name, number in counted(model, model._base_manager.filter(**live))
        ]

    def coming_back(self, obj: Record) -> list[tuple[str, str]]:
        """What one deletion took along."""
        if obj.deletion_id is None:
            return []
        taken = {"deletion_id": obj.deletion_id}
        return [
            (name, number)
            for model in hanging_on(obj)
            for name, number in counted(model, model._base_manager.filter(**taken))
        ]


def counted(model: type[Model], rows: QuerySet[Any]) -> list[tuple[str, str]]:
    """The kind in words, and how many there are, up to a thousand; empty where there are none."""
    number = rows.order_by().values("pk")[: COUNTED + 1].count()
    shown_number = f"{COUNTED}+" if number > COUNTED else str(number)
    return [(str(model._meta.verbose_name_plural), shown_number)] if number else []
