"""Customers in the back office."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import bulk_actions  # noqa: F401 - importing registers them
from clients.models import Customer, Interest
from clients.services import CUSTOMERS
from crm.backoffice import navigation, sections, shown
from crm.backoffice.fields import labels_of
from crm.backoffice.filters import choice_filter, flag_filter, reference_filter
from crm.backoffice.pages import reader
from crm.backoffice.records import RecordAdmin
from crm.backoffice.telling import name_codes
from crm.db import holds_any
from objects.models import Object, Unit

SHOWN = 10

name_codes(Customer, "interests", Interest.choices)


@admin.register(Customer)
class CustomerAdmin(RecordAdmin):
    """Residents and contact persons."""

    services = CUSTOMERS
    found_as = "contacts"
    list_display = (
        "shown_name",
        "shown_phone",
        "shown_object",
        "shown_unit",
        "shown_interests",
        "current_provider",
        "shown_last",
    )
    related = ("object__city", "unit")
    list_filter = (
        reference_filter("object", gettext_lazy("object"), field="object"),
        choice_filter(
            "interest",
            gettext_lazy("interest"),
            Interest.choices,
            lambda value: Q(holds_any("interests", [value])),
        ),
        choice_filter(
            "rating",
            gettext_lazy("provider rating"),
            [(str(n), str(n)) for n in range(1, 6)],
            lambda value: Q(provider_rating=int(value)),
        ),
        flag_filter("satisfied", gettext_lazy("satisfied"), Q(satisfied=True)),
        flag_filter(
            "consent",
            gettext_lazy("consent"),
            Q(gdpr_consent=True),
            (gettext_lazy("given"), gettext_lazy("missing")),
        ),
    )
    search_hint = gettext_lazy("Name, phone, address")
    sortable_by = ()
    ordering = ("-updated_at", "-id")
    depends = {"unit": "object"}
    word_fields = {"interests": Interest.choices}
    kept_fields = ("last_interaction_at", "created_at", "updated_at", "version")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("object", "unit"),
                    ("full_name", "phone"),
                    "gdpr_consent",
                    "preferred_call_time",
                )
            },
        ),
        (
            gettext_lazy("What they want"),
            {
                "fields": (
                    "interests",
                    ("current_provider", "desired_price"),
                    ("provider_rating", "satisfied"),
                )
            },
        ),
        (gettext_lazy("In words"), {"fields": ("portrait_text", "notes")}),
        (
            gettext_lazy("Kept by the server"),
            {
                "classes": ("collapse",),
                "fields": ("last_interaction_at", ("created_at", "updated_at"), "version"),
            },
        ),
    )
    add_fieldsets = fieldsets[:3]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        kept = super().get_readonly_fields(request, obj)
        return kept if obj is None else (*kept, "object")

    def title_of(self, obj: Any) -> str:
        return obj.full_name or shown.spaced(obj.phone or "") or _("customer without a name")

    def option_text(self, obj: Any) -> str:
        return " — ".join(filter(None, (obj.full_name, shown.spaced(obj.phone or "")))) or _(
            "customer without a name"
        )

    @admin.display(description=gettext_lazy("full name"))
    def shown_name(self, obj: Customer) -> Any:
        """The name, or that there is none."""
        return obj.full_name or _("customer without a name")

    @admin.display(description=gettext_lazy("phone"))
    def shown_phone(self, obj: Customer) -> Any:
        """The phone to tap."""
        return shown.phone(obj.phone)

    @admin.display(description=gettext_lazy("object"))
    def shown_object(self, obj: Customer) -> Any:
        """The building."""
        return shown.record_link(obj.object, obj.object.address)

    @admin.display(description=gettext_lazy("unit"))
    def shown_unit(self, obj: Customer) -> Any:
        """The flat, unless it is deleted."""
        return obj.unit.unit_number if obj.unit and not obj.unit.is_deleted else shown.NOTHING

    @admin.display(description=gettext_lazy("interests"))
    def shown_interests(self, obj: Customer) -> Any:
        """What they may want."""
        return labels_of(obj.interests, Interest.choices) or shown.NOTHING

    @admin.display(description=gettext_lazy("last interaction"))
    def shown_last(self, obj: Customer) -> Any:
        """When somebody talked to them."""
        return shown.ago(obj.last_interaction_at)


def customers_section(rows: QuerySet[Any], more: str, add: str) -> sections.Section:
    """Customers of an object or of a flat."""
    found = list(rows.select_related("unit").order_by("-updated_at", "-pk")[: SHOWN + 1])
    return sections.Section(
        headers=(_("full name"), _("phone"), _("unit"), _("interests")),
        rows=[
            (
                shown.record_link(one, one.full_name or _("customer without a name")),
                shown.phone(one.phone),
                one.unit.unit_number if one.unit and not one.unit.is_deleted else shown.NOTHING,
                labels_of(one.interests, Interest.choices) or shown.NOTHING,
            )
            for one in found[:SHOWN]
        ],
        empty=_("No customers yet."),
        count=sections.count_of(found, SHOWN),
        more=more if len(found) > SHOWN else "",
        add=add,
    )


@sections.section(Object, title=gettext_lazy("customers"), order=20)
def customers_of_object(request: HttpRequest, record: Object) -> sections.Section:
    """Who lives and works there."""
    rows = Customer.objects.visible_to(reader(request)).filter(object_id=record.pk)
    add = reverse("admin:clients_customer_add")
    return customers_section(
        rows, shown.list_url(Customer, object=record.pk), f"{add}?object={record.pk}"
    )


@sections.section(Unit, title=gettext_lazy("customers"), order=20)
def customers_of_unit(request: HttpRequest, record: Unit) -> sections.Section:
    """Who lives in the flat."""
    rows = Customer.objects.visible_to(reader(request)).filter(unit_id=record.pk)
    add = reverse("admin:clients_customer_add")
    return customers_section(
        rows,
        shown.list_url(Customer, object=record.object_id),
        f"{add}?object={record.object_id}&unit={record.pk}",
    )


navigation.add(
    navigation.Entry(
        navigation.Group.WORK,
        gettext_lazy("Customers"),
        "contacts",
        "clients_customer_changelist",
        order=40,
    )
)
