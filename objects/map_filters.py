"""What the map can be asked for: all that the list can be narrowed by, a box and a zoom."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request

from crm.api.filters import SEARCH, filtered, refuse_unknown
from crm.errors import Invalid
from crm.geo import Box
from crm.map_grid import MAX_ZOOM
from objects.filters import BoxField, ObjectFilters, numbers


class AreaField(BoxField):
    """west,south,east,north in degrees, with an area."""

    def to_python(self, value: Any) -> Any:
        boxes = super().to_python(value)
        if boxes is not None and has_no_area(boxes):
            raise forms.ValidationError(
                _("The box is empty: its west must differ from its east, its south from its north.")
            )
        return boxes


def has_no_area(boxes: Sequence[Box]) -> bool:
    """Whether the boxes, which share their latitudes, are a line or a point."""
    return boxes[0].south >= boxes[0].north or not any(box.west < box.east for box in boxes)


class ZoomField(forms.IntegerField):
    """A zoom of web maps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_ZOOM, **kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except forms.ValidationError:
            raise forms.ValidationError(
                _("A whole number from 0 to %(maximum)s is expected.") % {"maximum": MAX_ZOOM}
            ) from None


class Area(django_filters.Filter):
    """What the map shows. West may be greater than east: the box then crosses the 180th meridian."""

    field_class = AreaField
    openapi: ClassVar[Any] = numbers("west,south,east,north", 4, "37.6,55.7,37.7,55.8")

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        # The service narrows by the boxes itself.
        return qs


class Zoom(django_filters.Filter):
    """0: the whole world in 256 pixels; each zoom doubles it."""

    field_class = ZoomField
    openapi: ClassVar[Any] = {"type": "integer", "minimum": 0, "maximum": MAX_ZOOM}

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs


class MapFilters(ObjectFilters):
    """Filters of the map."""

    bbox = Area(required=True)
    zoom = Zoom(required=True)


def on_map(
    ways: Sequence[QuerySet[Any]], parameters: Mapping[str, str], request: Request
) -> tuple[list[QuerySet[Any]], list[Box], int]:
    """Of each way the rows that the parameters ask for, with the boxes and the zoom. Raises Invalid."""
    refuse_unknown(parameters, [*MapFilters.base_filters, *SEARCH, "deleted"])
    narrowed = [filtered(rows, parameters, MapFilters, request) for rows in ways]
    boxes, zoom = window_of(parameters)
    return narrowed, boxes, zoom


def window_of(parameters: Mapping[str, str]) -> tuple[list[Box], int]:
    """The boxes and the zoom that a map asks for. Raises Invalid with a sentence for each that is wrong."""
    fields: dict[str, forms.Field] = {"bbox": AreaField(), "zoom": ZoomField()}
    clean: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for name, form_field in fields.items():
        try:
            clean[name] = form_field.clean(parameters.get(name))
        except forms.ValidationError as error:
            problems[name] = error.messages
    if problems:
        raise Invalid(problems)
    return clean["bbox"], clean["zoom"]
