"""What lists of customers can be narrowed by."""

from typing import Any, ClassVar

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clients.models import Interest
from crm.api.filters import AnyOfIds, Contains, Flag, ListFilters, Whole
from crm.phones import InvalidPhone, normalise_phone


class PhoneParameterField(forms.CharField):
    """A whole phone number, as people write it; a leading space is a `+` that was not encoded."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        raw = super().to_python(value) or ""
        phone = raw.strip()
        if not phone:
            return None
        if raw.startswith(" ") and not phone.startswith("+"):
            phone = f"+{phone}"
        try:
            return normalise_phone(phone, settings.PHONE_REGION)
        except InvalidPhone:
            raise forms.ValidationError(_("This is not a phone number.")) from None


class WholePhone(django_filters.Filter):
    """Has exactly this phone, in any of its spellings."""

    timeless = only_when_given = True

    field_class = PhoneParameterField
    openapi: ClassVar[Any] = {"type": "string", "maxLength": 64, "example": "+79123456789"}

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else qs.filter(phone=value)


class CustomerFilters(ListFilters):
    """Filters of customers."""

    object_id = AnyOfIds(field_name="object_id")
    unit_id = AnyOfIds(field_name="unit_id")
    phone = WholePhone()
    interests = Contains(field_name="interests", choices=Interest.values)
    rating_min = Whole(field_name="provider_rating", lookup_expr="gte")
    rating_max = Whole(field_name="provider_rating", lookup_expr="lte")
    satisfied = Flag(field_name="satisfied")
    gdpr_consent = Flag(field_name="gdpr_consent")

    def condition(self, q: str) -> Q:
        """Also by a whole phone: for an engineer the only way, since a prefix would unmask digit by digit."""
        found = super().condition(q)
        try:
            return found | Q(phone=normalise_phone(q.strip(), settings.PHONE_REGION))
        except InvalidPhone:
            return found
