"""Objects and units in the back office."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backoffice import navigation, sections, shown
from crm.backoffice.filters import choice_filter, flag_filter, reference_filter
from crm.backoffice.pages import reader
from crm.backoffice.records import RecordAdmin
from objects import bulk_actions, map_pages  # noqa: F401 - importing registers them
from objects.models import Object, ObjectStatus, ObjectType, Unit
from objects.services import OBJECTS, UNITS

COLOURS = {
    ObjectStatus.NEW: shown.GREY,
    ObjectStatus.INTEREST: shown.BLUE,
    ObjectStatus.CALLBACK: shown.ORANGE,
    ObjectStatus.REJECTED: shown.RED,
    ObjectStatus.DONE: shown.GREEN,
}
# A page of an object shows so many of what hangs on it; the list has the rest.
SHOWN = 10

UNVISITED = [
    ("7", gettext_lazy("for a week")),
    ("30", gettext_lazy("for 30 days")),
    ("90", gettext_lazy("for 90 days")),
    ("180", gettext_lazy("for half a year")),
    ("never", gettext_lazy("never")),
]


def unvisited(value: str) -> Q:
    """Not visited for so many days, or never."""
    never = Q(last_visit_at__isnull=True)
    if value == "never":
        return never
    return never | Q(last_visit_at__lt=timezone.now() - timedelta(days=int(value)))


@admin.register(Object)
class ObjectAdmin(RecordAdmin):
    """Buildings and places."""

    services = OBJECTS
    found_as = "apartment"
    change_list_template = "objects/object_list.html"
    list_display = (
        "address",
        "city",
        "district",
        "shown_type",
        "shown_status",
        "shown_responsible",
        "shown_last_visit",
    )
    related = ("city", "district", "responsible_user")
    list_filter = (
        reference_filter("city", gettext_lazy("city"), field="city"),
        reference_filter("district", gettext_lazy("district"), field="district", depends_on="city"),
        choice_filter("status", gettext_lazy("status"), ObjectStatus.choices),
        choice_filter("type", gettext_lazy("type"), ObjectType.choices),
        reference_filter(
            "responsible",
            gettext_lazy("responsible person"),
            field="responsible_user",
            none_label=gettext_lazy("nobody"),
        ),
        choice_filter("unvisited", gettext_lazy("no visit"), UNVISITED, unvisited),
        flag_filter(
            "located",
            gettext_lazy("coordinates"),
            Q(gps_lat__isnull=False),
            (gettext_lazy("given"), gettext_lazy("missing")),
        ),
    )
    search_hint = gettext_lazy("Address, city, district, contact")
    sortable_by = ("shown_last_visit",)
    ordering = ("-updated_at", "-id")
    depends = {"district": "city"}
    word_fields = {"tags": None}
    city_columns = ("city",)
    page_related = ("created_by", "updated_by")
    kept_fields = ("visits_count", "last_visit_at", "shown_created", "shown_updated", "version")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "address",
                    ("city", "district"),
                    ("type", "status"),
                    "responsible_user",
                    "tags",
                )
            },
        ),
        (gettext_lazy("Contact"), {"fields": (("contact_name", "contact_phone"),)}),
        (gettext_lazy("Coordinates"), {"fields": (("gps_lat", "gps_lng"),)}),
        (
            gettext_lazy("Kept by the server"),
            {
                "classes": ("collapse",),
                "fields": (
                    ("visits_count", "last_visit_at"),
                    ("shown_created", "shown_updated"),
                    "version",
                ),
            },
        ),
    )
    add_fieldsets = fieldsets[:3]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A supervisor's own city is a good guess."""
        return {
            "city": self.reader(request).city_id,
            **super().get_changeform_initial_data(request),
        }

    def option_text(self, obj: Any) -> str:
        return f"{obj.address} — {obj.city.name}"

    @admin.display(description=gettext_lazy("created"))
    def shown_created(self, obj: Object) -> Any:
        """Who made it, and when."""
        return shown.by_whom(obj.created_by, obj.created_at)

    @admin.display(description=gettext_lazy("updated"))
    def shown_updated(self, obj: Object) -> Any:
        """Who changed it last, and when something of it moved last."""
        return shown.by_whom(obj.updated_by, obj.updated_at)

    @admin.display(description=gettext_lazy("type"))
    def shown_type(self, obj: Object) -> Any:
        """The kind of place."""
        return obj.get_type_display()

    @admin.display(description=gettext_lazy("status"))
    def shown_status(self, obj: Object) -> Any:
        """The status as a label."""
        return shown.badge(obj.get_status_display(), COLOURS[ObjectStatus(obj.status)])

    @admin.display(description=gettext_lazy("responsible"))
    def shown_responsible(self, obj: Object) -> Any:
        """Who is responsible."""
        return obj.responsible_user.full_name if obj.responsible_user else shown.NOTHING

    @admin.display(description=gettext_lazy("last visit"), ordering="last_visit_at")
    def shown_last_visit(self, obj: Object) -> Any:
        """How long ago somebody was there."""
        return shown.ago(obj.last_visit_at)


@admin.register(Unit)
class UnitAdmin(RecordAdmin):
    """Flats and offices."""

    services = UNITS
    list_display = ("unit_number", "shown_object", "entrance", "floor", "shown_updated")
    related = ("object__city",)
    list_filter = (reference_filter("object", gettext_lazy("object"), field="object"),)
    search_column = "object__search_text"
    search_hint = gettext_lazy("Address")
    sortable_by = ("shown_updated",)
    ordering = ("-updated_at", "-id")
    fieldsets = (
        (None, {"fields": ("object", "unit_number", ("entrance", "floor"), "attributes")}),
        (
            gettext_lazy("Kept by the server"),
            {"classes": ("collapse",), "fields": (("created_at", "updated_at"), "version")},
        ),
    )
    add_fieldsets = fieldsets[:1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        kept = super().get_readonly_fields(request, obj)
        return kept if obj is None else (*kept, "object")

    def title_of(self, obj: Any) -> str:
        return _("unit %(number)s, %(address)s") % {
            "number": obj.unit_number,
            "address": obj.object.address,
        }

    def option_text(self, obj: Any) -> str:
        return str(obj.unit_number)

    @admin.display(description=gettext_lazy("object"))
    def shown_object(self, obj: Unit) -> Any:
        """The building."""
        return shown.record_link(obj.object, obj.object.address)

    @admin.display(description=gettext_lazy("updated"), ordering="updated_at")
    def shown_updated(self, obj: Unit) -> Any:
        """When it was changed last."""
        return shown.when(obj.updated_at)


@sections.section(Object, title=gettext_lazy("units"), order=10)
def units_of(request: HttpRequest, record: Object) -> sections.Section:
    """The object's flats and offices."""
    rows = Unit.objects.visible_to(reader(request)).filter(object_id=record.pk)
    found = list(rows.order_by("-updated_at", "-pk")[: SHOWN + 1])
    return sections.Section(
        headers=(_("number"), _("entrance"), _("floor"), _("updated")),
        rows=[
            (
                shown.record_link(one, one.unit_number),
                shown.NOTHING if one.entrance is None else one.entrance,
                shown.NOTHING if one.floor is None else one.floor,
                shown.when(one.updated_at),
            )
            for one in found[:SHOWN]
        ],
        empty=_("No units yet."),
        count=sections.count_of(found, SHOWN),
        more=shown.list_url(Unit, object=record.pk) if len(found) > SHOWN else "",
        add=reverse("admin:objects_unit_add") + f"?object={record.pk}",
    )


navigation.add(
    navigation.Entry(
        navigation.Group.WORK,
        gettext_lazy("Objects"),
        "apartment",
        "objects_object_changelist",
        order=10,
    )
)
navigation.add(
    navigation.Entry(
        navigation.Group.WORK,
        gettext_lazy("Units"),
        "door_front",
        "objects_unit_changelist",
        order=50,
    )
)
