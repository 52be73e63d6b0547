"""The dictionaries in the back office: everybody reads them, administrators keep them."""

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backoffice import navigation
from crm.backoffice.filters import reference_filter
from crm.backoffice.office import OfficeAdmin
from crm.errors import CallerError
from crm.territory import services
from crm.territory.models import City, District
from crm.users.models import User

if TYPE_CHECKING:
    from crm.errors import Sentence


class PlaceAdmin(OfficeAdmin):
    """A dictionary. Its entries have no sight: names of places are no secret."""

    search_column = "name"
    sortable_by: Any = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.reader(request).is_admin

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.reader(request).is_admin

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.reader(request).is_admin

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # Dictionaries are short, and have no column of words.
        return services.named(queryset, search_term), False

    def create(self, actor: User, values: dict[str, Any]) -> Any:
        return services.create_place(self.model, actor=actor, values=values)

    def save(self, request: HttpRequest, obj: Any, values: dict[str, Any], form: Any) -> Any:
        return services.update_place(
            self.model, actor=self.reader(request), place_id=obj.pk, changes=values
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Asks, then deletes what nothing refers to."""
        obj = self.found(request, object_id)
        if not self.has_delete_permission(request, obj):
            raise PermissionDenied
        context: dict[str, Any] = {"subtitle": _("Deletion"), "lasting": True}
        if request.method != "POST":
            return self.shown(request, self.delete_confirmation_template, obj, context)
        try:
            services.delete_place(self.model, actor=self.reader(request), place_id=obj.pk)
        except CallerError as error:
            context["refusal"] = error
            answer = self.shown(request, self.delete_confirmation_template, obj, context)
            answer.status_code = error.status
            return answer
        messages.success(request, _("Deleted: %(name)s.") % {"name": obj.name})
        return HttpResponseRedirect(self.back_to_list(request))


@admin.register(City)
class CityAdmin(PlaceAdmin):
    """Cities."""

    list_display = ("name", "time_zone")
    fieldsets = ((None, {"fields": ("name", "time_zone")}),)


@admin.register(District)
class DistrictAdmin(PlaceAdmin):
    """Districts."""

    list_display = ("name", "city")
    related = ("city",)
    list_filter = (reference_filter("city", gettext_lazy("city"), field="city"),)
    fieldsets = ((None, {"fields": ("name", "city")}),)

    def choices_for(self, request: HttpRequest, rows: QuerySet[Any], source: Any) -> QuerySet[Any]:
        city = request.GET.get("city", "") or str(self.reader(request).city_id or "")
        try:
            return rows.filter(city_id=UUID(city)) if city else rows
        except ValueError:
            return rows.none()

    def option_text(self, obj: Any) -> str:
        return f"{obj.name} ({obj.city.name})"


for kind, url, icon, order in (
    (City, "territory_city_changelist", "location_city", 20),
    (District, "territory_district_changelist", "holiday_village", 30),
):
    navigation.add(
        navigation.Entry(
            navigation.Group.COMPANY,
            cast("Sentence", kind._meta.verbose_name_plural),
            icon,
            url,
            order=order,
        )
    )
