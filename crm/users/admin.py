"""People in the back office, within the rules of roles: supervisors keep the engineers of their territory."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget

from crm.backoffice import navigation, shown
from crm.backoffice.filters import choice_filter, flag_filter, reference_filter
from crm.backoffice.forms import OfficeForm
from crm.backoffice.office import OfficeAdmin
from crm.users import services
from crm.users.models import User
from crm.users.passwords import MAX_PASSWORD
from crm.users.roles import Role

COLOURS = {Role.ADMIN: shown.ACCENT, Role.SUPERVISOR: shown.BLUE, Role.ENGINEER: shown.GREY}


class UserForm(OfficeForm):
    """An account. A new password ends the person's sessions."""

    password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        strip=False,
        max_length=MAX_PASSWORD,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 8 characters. The person is logged out everywhere."),
    )

    class Meta:
        model = User
        exclude = ("password",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields.get("password")
        if password is not None:
            password.show_hidden_initial = False
            self.initial["password"] = ""
            if not self.edits:
                password.required = True
                password.label = _("Password")
                password.help_text = _("At least 8 characters.")

    def values(self) -> dict[str, Any]:
        found = super().values()
        if not found.get("password"):
            found.pop("password", None)
        return found


@admin.register(User)
class UserAdmin(OfficeAdmin):
    """People. Nobody is deleted: what they did stays theirs; they are deactivated."""

    form = UserForm
    found_as = "group"
    list_title = gettext_lazy("People")
    list_display = (
        "full_name",
        "email",
        "shown_role",
        "city",
        "district",
        "shown_phone",
        "shown_login",
        "shown_active",
    )
    related = ("city", "district")
    list_filter = (
        choice_filter("role", gettext_lazy("role"), Role.choices),
        reference_filter("city", gettext_lazy("city"), field="city"),
        reference_filter("district", gettext_lazy("district"), field="district", depends_on="city"),
        flag_filter(
            "active",
            gettext_lazy("account"),
            Q(is_active=True),
            (gettext_lazy("active"), gettext_lazy("deactivated")),
        ),
    )
    search_hint = gettext_lazy("Name or e-mail")
    sortable_by = ("full_name",)
    city_columns = ("city",)
    ordering = ("full_name", "id")
    depends = {"district": "city"}
    kept_fields = ("last_login", "created_at", "updated_at")
    fieldsets = (
        (
            None,
            {"fields": ("full_name", "email", "phone", "role", "city", "district", "is_active")},
        ),
        (gettext_lazy("Password"), {"fields": ("password",)}),
        (gettext_lazy("Kept by the server"), {"classes": ("collapse",), "fields": kept_fields}),
    )
    add_fieldsets = (
        (None, {"fields": ("full_name", "email", "phone", "role", "city", "district", "password")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("password", "search_text")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        actor = self.reader(request)
        return obj is None or actor.is_admin or obj.is_engineer

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kind = super().get_form(request, obj, change=change, **kwargs)
        if change and not self.reader(request).is_admin:
            # Declared fields are in every form, shown or not.
            kind.base_fields.pop("password", None)
        return kind

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        if obj is None or (
            self.has_change_permission(request, obj) and self.reader(request).is_admin
        ):
            return sets
        return [one for one in sets if "password" not in one[1]["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        kept = super().get_readonly_fields(request, obj)
        actor = self.reader(request)
        if obj is None:
            return kept
        if not actor.is_admin:
            return (*kept, "email", "role")
        return (*kept, "role") if obj.pk == actor.pk else kept

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role" and not self.reader(request).is_admin:
            kwargs["choices"] = [(Role.ENGINEER.value, Role.ENGINEER.label)]
        field = super().formfield_for_choice_field(db_field, request, **kwargs)
        if db_field.name == "role":
            # Whoever does not look makes the least of accounts.
            field.initial = Role.ENGINEER
        return field

    def choices_for(self, request: HttpRequest, rows: QuerySet[Any], source: Any) -> QuerySet[Any]:
        """Whom work is given to must be active; a list may still be narrowed by those who have left."""
        return rows.active() if source.model is not User else rows  # type: ignore[attr-defined]

    def option_text(self, obj: Any) -> str:
        place = obj.district or obj.city
        return f"{obj.full_name} — {obj.get_role_display()}" + (f", {place.name}" if place else "")

    def create(self, actor: User, values: dict[str, Any]) -> Any:
        return services.create_user(actor=actor, values=values)

    def save(self, request: HttpRequest, obj: Any, values: dict[str, Any], form: Any) -> Any:
        return services.update_user(actor=self.reader(request), user_id=obj.pk, changes=values)

    @admin.display(description=gettext_lazy("role"))
    def shown_role(self, obj: User) -> Any:
        """The role as a label."""
        return shown.badge(obj.get_role_display(), COLOURS[Role(obj.role)])

    @admin.display(description=gettext_lazy("phone"))
    def shown_phone(self, obj: User) -> Any:
        """The phone to tap."""
        return shown.phone(obj.phone)

    @admin.display(description=gettext_lazy("last login"))
    def shown_login(self, obj: User) -> Any:
        """How long ago they logged in."""
        return shown.ago(obj.last_login)

    @admin.display(description=gettext_lazy("account"))
    def shown_active(self, obj: User) -> Any:
        """Whether they may log in."""
        return (
            shown.badge(_("active"), shown.GREEN)
            if obj.is_active
            else shown.badge(_("deactivated"), shown.RED)
        )


navigation.add(
    navigation.Entry(
        navigation.Group.COMPANY,
        gettext_lazy("People"),
        "group",
        "users_user_changelist",
        order=10,
    )
)
