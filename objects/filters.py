"""What lists of objects and units can be narrowed by."""

from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.api.filters import AnyOf, AnyOfChoices, AnyOfIds, Contains, Flag, ListFilters
from crm.db import distance_m, in_boxes
from crm.errors import Invalid
from crm.geo import InvalidCoordinates, boxes_around, parse_bbox, parse_point
from objects.models import ObjectStatus, ObjectType

DEFAULT_RADIUS_M, MAX_RADIUS_M = 1_000, 20_040_000


def numbers(names: str, count: int, example: str) -> dict[str, Any]:
    """How the schema tells of so many comma-separated degrees."""
    degree = r"[+-]?[0-9]+(\.[0-9]+)?"
    return {
        "type": "string",
        "pattern": f"^{degree}(,{degree}){{{count - 1}}}$",
        "description": names,
        "example": example,
    }


class BoxField(forms.Field):
    """west,south,east,north in degrees."""

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        try:
            return parse_bbox(str(value))
        except InvalidCoordinates as error:
            raise forms.ValidationError(str(error)) from None


class PointField(forms.Field):
    """lat,lng in degrees."""

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        try:
            return parse_point(str(value))
        except InvalidCoordinates as error:
            raise forms.ValidationError(str(error)) from None


class RadiusField(forms.FloatField):
    """Metres, at most half way round the globe."""

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        if number is not None and not 0 < number <= MAX_RADIUS_M:
            raise forms.ValidationError(
                _("The radius must lie between 0 and %(maximum)s metres.")
                % {"maximum": MAX_RADIUS_M}
            )
        return number


class Box(django_filters.Filter):
    """Inside a rectangle of the map."""

    timeless = only_when_given = True

    field_class = BoxField
    openapi: ClassVar[Any] = numbers("west,south,east,north", 4, "37.6,55.7,37.7,55.8")

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else qs.filter(in_boxes("gps_lat", "gps_lng", value))


class Near(django_filters.Filter):
    """Within `radius` metres of a point; adds distance_m, nearest first."""

    timeless = only_when_given = True

    field_class = PointField
    openapi: ClassVar[Any] = numbers("lat,lng", 2, "55.7558,37.6173")

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return qs
        radius = self.parent.form.cleaned_data.get("radius") or DEFAULT_RADIUS_M
        lat, lng = value
        around = qs.filter(in_boxes("gps_lat", "gps_lng", boxes_around(lat, lng, radius)))
        measured = around.annotate(distance_m=distance_m("gps_lat", "gps_lng", lat, lng))
        within: QuerySet[Any] = measured.filter(distance_m__lte=radius)
        return within


class Radius(django_filters.Filter):
    """Metres around `near`; 1,000 when left out."""

    timeless = only_when_given = True

    field_class = RadiusField
    openapi: ClassVar[Any] = {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": MAX_RADIUS_M,
        "default": DEFAULT_RADIUS_M,
    }

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is not None and self.parent.form.cleaned_data.get("near") is None:
            raise Invalid({"radius": _("A radius needs a point: near=lat,lng.")})
        return qs


class Located(Flag):
    """Has coordinates, or has none."""

    timeless = only_when_given = True

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs if value is None else qs.filter(gps_lat__isnull=not value)


class ObjectFilters(ListFilters):
    """Filters of objects."""

    city_id = AnyOfIds(field_name="city_id")
    district_id = AnyOfIds(field_name="district_id")
    type = AnyOfChoices(field_name="type", choices=ObjectType.values)
    status = AnyOfChoices(field_name="status", choices=ObjectStatus.values)
    responsible_user_id = AnyOfIds(field_name="responsible_user_id")
    tags = Contains(field_name="tags")
    has_gps = Located(field_name="gps_lat")
    near = Near()
    radius = Radius()
    bbox = Box()


class UnitFilters(ListFilters):
    """Filters of units."""

    object_id = AnyOfIds(field_name="object_id")
    unit_number = AnyOf(field_name="unit_number")
