"""The base of every page over a model: who sees what, search, lists, and forms that write through services.

Django's admin gives lists and forms; it never writes: `create` and `save` hand the form's values to the same
services as the API's. What they refuse stands beside the fields, and nothing that was typed is lost.
"""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, FloatField, ForeignKey, JSONField, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from crm.backoffice.columns import columns_of
from crm.backoffice.errors import OUT_OF_DATE
from crm.backoffice.fields import (
    CallTimeField,
    ChoicesField,
    DegreesField,
    JsonObjectField,
    PhoneField,
    WordsField,
    reference_field,
)
from crm.backoffice.filters import OfficeFilter
from crm.backoffice.forms import OfficeForm, nothing_changed
from crm.backoffice.history import history_of
from crm.backoffice.lists import HonestPaginator, OfficeChangeList, RowsAlone, cell_of
from crm.backoffice.sections import sections_of
from crm.backoffice.shown import change_url
from crm.editing import MASKS, StaleRecord
from crm.errors import CallerError, Malformed, NotFound
from crm.references import referable
from crm.searching import matching
from crm.users.models import User

# As many as a person reads; more are a matter for the trail.
HISTORY = 50


class OfficeAdmin(ModelAdmin):
    """What all pages over a model share: who sees what, search, lists, forms that write through services."""

    of_the_office = True
    form = OfficeForm
    paginator = HonestPaginator
    actions: Any = ()
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_sheet = False
    list_fullwidth = True
    compressed_fields = False
    warn_unsaved_form = True
    view_on_site = False
    save_on_top = False
    change_list_template = "backoffice/change_list.html"
    change_form_template = "backoffice/change_form.html"
    delete_confirmation_template = "backoffice/delete.html"
    object_history_template = "backoffice/history.html"

    # The icon under which Ctrl+K finds its rows; '' = it does not.
    found_as: ClassVar[str] = ""
    # What stands above the list, where it is not the model's name.
    list_title: ClassVar[Any] = ""
    # What the search goes by; '' = there is none.
    search_column: ClassVar[str] = "search_text"
    search_hint: ClassVar[Any] = ""
    # Foreign keys whose choices depend on another field of the form: name → that field.
    depends: ClassVar[dict[str, str]] = {}
    # Columns that say nothing to a person of one city, and filters by it.
    city_columns: ClassVar[tuple[str, ...]] = ()
    # JSON lists: name → the choices, None = free words.
    word_fields: ClassVar[dict[str, Any]] = {}
    # What lists and pages tell of other tables; and what a record's page tells beside that.
    related: ClassVar[tuple[str, ...]] = ()
    page_related: ClassVar[tuple[str, ...]] = ()
    # Shown in the form, kept by the server.
    kept_fields: ClassVar[tuple[str, ...]] = ()

    # --- who sees and does what -------------------------------------------------------------------

    def reader(self, request: HttpRequest) -> User:
        """Who asks; the site has let nobody else through."""
        return cast("User", request.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What the person may see. Everything on every page starts here."""
        rows: Any = self.model._default_manager.all()
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(self.reader(request))
        return self.joined(rows, request)

    def joined(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """The rows with what the page tells of other tables, in the same query."""
        related = [*self.related, *([] if is_list(request) else self.page_related)]
        return rows.select_related(*related) if related else rows

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        try:
            return self.get_queryset(request).filter(pk=UUID(object_id)).first()
        except ValueError:
            return None

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        raise Http404

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The row of an address. Raises Http404 for what does not exist or lies out of sight."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        return obj

    # --- lists ------------------------------------------------------------------------------------

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter declares: any column in the address would let people guess at its content."""
        known = {"_to_field", "_popup"}
        for one in self.list_filter:
            if isinstance(one, type) and issubclass(one, OfficeFilter):
                known |= set(one.parameters)
        return lookup in known

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return OfficeChangeList

    def filtered(self, request: HttpRequest, *, ignoring: Collection[str] = ()) -> QuerySet[Any]:
        """The rows of the list under the request's filters and search, for a map, an export, a bulk action.

        ignoring: parameters that are not the list's.
        """
        given = request.GET.copy()
        for name in (*ignoring, "p"):
            given.pop(name, None)
        request.GET = given  # type: ignore[assignment]
        rows: QuerySet[Any] = RowsAlone(
            request,
            self.model,
            self.get_list_display(request),
            (),
            self.get_list_filter(request),
            None,
            self.get_search_fields(request),
            (),
            self.list_per_page,
            0,
            (),
            self,
            self.sortable_by,
            "",
        ).queryset
        return rows

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"list_title": self.list_title, **(extra_context or {})}
        answer: HttpResponse = super().changelist_view(request, context)
        return answer

    def get_list_display(self, request: HttpRequest) -> Any:
        added = [cell_of(one.name, one.title) for one in columns_of(self.model)]
        own = super().get_list_display(request)
        # Whoever works in one city need not read its name in every row.
        alone = self.reader(request).city_id is not None
        return (*(name for name in own if not (alone and name in self.city_columns)), *added)

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        # Django asks this for whether there is a search at all; how, `get_search_results` says.
        return (self.search_column,) if self.search_column else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The API's search: each word begins a word of the record, ё = е, phones in any spelling."""
        if not self.search_column:
            # The page has no box for it; somebody wrote it into the address.
            return queryset, False
        private = self.reader(request).sees_personal_data
        return queryset.filter(matching(self.search_column, search_term, private=private)), False

    @property
    def search_help_text(self) -> Any:
        """What the search box says of itself."""
        return self.search_hint

    def choices_for(
        self, request: HttpRequest, rows: QuerySet[Any], source: "Field[Any, Any]"
    ) -> QuerySet[Any]:
        """The rows that a select box of `source` offers: referable, narrowed by what the form holds."""
        return rows

    def option_text(self, obj: Any) -> str:
        """The row in a select box."""
        return str(obj)

    @property
    def media(self) -> Any:
        # Not the theme's own: it would ask the last request of another thread.
        return super(ModelAdmin, self).media + AutocompleteSelect(None, self.admin_site).media

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Django's: an action on the chosen rows. Raises Malformed for what no list has sent."""
        try:
            for one in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.clean(one, None)
        except ValidationError as error:
            raise Malformed(OUT_OF_DATE) from error
        return super().response_action(request, queryset)

    # --- forms ------------------------------------------------------------------------------------

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kind = super().get_form(request, obj, change=change, **kwargs)
        kind.refusal = getattr(request, "refusal", None)
        return kind

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *self.kept_fields)

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        label = capfirst(db_field.verbose_name)
        common = {"label": label, "required": not db_field.blank, "help_text": db_field.help_text}
        if isinstance(db_field, ForeignKey):
            return self.field_of_reference(db_field, request)
        if db_field.name in MASKS and db_field.name != "email":
            return PhoneField(**common)
        if db_field.name in self.word_fields:
            choices = self.word_fields[db_field.name]
            if choices is None:
                common.pop("help_text")
                return WordsField(**common)
            return ChoicesField(choices=choices, **common)
        if db_field.name == "preferred_call_time":
            return CallTimeField(**common)
        if isinstance(db_field, JSONField):
            return JsonObjectField(label=label, help_text=db_field.help_text)
        if isinstance(db_field, FloatField):
            kwargs["form_class"] = DegreesField
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.label = label
        return field

    def field_of_reference(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest) -> Any:
        """A foreign key's select box. What stands there may stay, whatever it is."""
        target: Any = db_field.related_model
        remote: Any = self.admin_site.get_model_admin(target)
        instance = getattr(request, "edited", None)
        return reference_field(
            db_field,
            referable(target, self.reader(request)),
            current=None if instance is None else getattr(instance, db_field.name),
            text=remote.option_text,
            depends_on=self.depends.get(db_field.name, ""),
        )

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Django's answer, for columns; whatever else a model calls a field is not one to refer by."""
        try:
            is_column = bool(self.opts.get_field(to_field).concrete)
        except FieldDoesNotExist:
            return False
        return is_column and super().to_field_allowed(request, to_field)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Django's form. What a service refuses stands beside the fields, and nothing typed is lost."""
        context = self.around(request, object_id, extra_context)
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except NotFound:
            raise Http404 from None
        except StaleRecord as error:
            return self.conflict_page(request, error)
        except CallerError as error:
            request.refusal = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, context)

    def conflict_page(self, request: HttpRequest, error: StaleRecord) -> HttpResponse:
        """Both sides of a stale edit, and the choice."""
        raise error

    def around(
        self, request: HttpRequest, object_id: str | None, extra: dict[str, Any] | None
    ) -> dict[str, Any]:
        """What the page has beside the form."""
        context = {
            "show_save_and_add_another": False,
            "list_title": self.list_title,
            **(extra or {}),
        }
        if object_id is None:
            context["title"] = _("New: %(kind)s") % {"kind": self.opts.verbose_name}
            return context
        obj = self.found(request, object_id)
        request.edited = obj  # type: ignore[attr-defined]
        if request.method == "GET":
            context["sections"] = sections_of(request, obj)
        context["title"] = self.title_of(obj)
        context["kind"] = self.opts.verbose_name
        return context

    def title_of(self, obj: Any) -> str:
        """What stands above the record's page."""
        return str(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Hand the form's values to the service, and show what it made of them."""
        values = form.values()
        request.sent = form  # type: ignore[attr-defined]
        request.unchanged = change and not values  # type: ignore[attr-defined]
        actor = self.reader(request)
        saved = self.save(request, obj, values, form) if change else self.create(actor, values)
        obj.__dict__.update(saved.__dict__)

    def create(self, actor: User, values: dict[str, Any]) -> Any:
        """Make a new row by its service."""
        raise NotImplementedError

    def save(self, request: HttpRequest, obj: Any, values: dict[str, Any], form: Any) -> Any:
        """Change the row by its service."""
        raise NotImplementedError

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing hangs on our forms."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            answer: HttpResponse = super().response_add(request, obj, post_url_continue)
            return answer
        return self.saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self.saved(request, obj)

    def saved(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Say so, and go where the button leads. Django's own sentences would need to know its gender."""
        if getattr(request, "unchanged", False):
            messages.info(request, nothing_changed())
        else:
            messages.success(request, _("Saved: %(name)s.") % {"name": self.title_of(obj)})
        if "_continue" not in request.POST:
            return HttpResponseRedirect(self.back_to_list(request))
        kept = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return HttpResponseRedirect(add_preserved_filters(kept, change_url(obj)))

    def back_to_list(self, request: HttpRequest) -> str:
        """The list as it was narrowed before."""
        base = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        kept = QueryDict(self.get_preserved_filters(request)).get("_changelist_filters", "")
        return f"{base}?{kept}" if kept else base

    # The trail is written by the services; Django's own would only repeat it, without who and what.
    def log_addition(self, *_args: Any, **_kwargs: Any) -> Any:
        return None

    def log_change(self, *_args: Any, **_kwargs: Any) -> Any:
        return None

    def log_deletions(self, *_args: Any, **_kwargs: Any) -> Any:
        return None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What happened to the record, from the trail."""
        obj = self.found(request, object_id)
        entity = str(self.opts.model_name)
        events = history_of(entity, obj.pk, reader=self.reader(request), limit=HISTORY)
        return self.shown(
            request, self.object_history_template, obj, {"events": events, "subtitle": _("History")}
        )

    def shown(
        self, request: HttpRequest, template: str, obj: Any, context: dict[str, Any]
    ) -> TemplateResponse:
        """A page about a row."""
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                "title": self.title_of(obj),
                "list_title": self.list_title,
                "kind": self.opts.verbose_name,
                "original": obj,
                "object": obj,
                "opts": self.opts,
                "media": self.media,
                "back": change_url(obj),
                "subtitle": "",
                **context,
            },
        )


def is_list(request: HttpRequest) -> bool:
    """Whether the request is for a list."""
    match = request.resolver_match
    return match is not None and str(match.url_name).endswith("_changelist")
