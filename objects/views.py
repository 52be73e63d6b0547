"""Endpoints of objects and units."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import schema_lists
from crm.api.filters import parameters_of
from crm.api.schema import documented
from crm.api.viewsets import RecordViewSet
from crm.errors import Invalid
from objects.clusters import clusters_of
from objects.filters import ObjectFilters, UnitFilters
from objects.map_filters import MapFilters, on_map
from objects.map_serializers import ObjectMapSerializer
from objects.models import Object, Unit
from objects.serializers import ObjectSerializer, UnitSerializer
from objects.services import OBJECTS, UNITS, delegate_object


class ObjectViewSet(RecordViewSet):
    """Buildings and places."""

    queryset = Object.objects.none()
    serializer_class = ObjectSerializer
    services = OBJECTS
    scope = "objects"
    filters = ObjectFilters
    related = ("city", "district", "responsible_user")
    default_sort = "-updated_at"
    sorts: ClassVar[Any] = {
        "updated_at": "updated_at",
        "created_at": "created_at",
        "address": "address",
        "type": "type",
        "status": "status",
        "visits_count": "visits_count",
        "last_visit_at": "last_visit_at",
        "city": "city__name",
        "district": "district__name",
        "contact_name": "contact_name",
        "contact_phone": "contact_phone",
    }
    personal_sorts = frozenset({"contact_phone"})
    annotated = ("distance_m",)

    @documented(listing=True)
    @action(detail=False, url_path="my-tasks")
    def my_tasks(self, request: Request) -> HttpResponse:
        """Objects that the caller is responsible for."""
        return self.listed(lambda: self.get_queryset().filter(responsible_user_id=self.caller.pk))

    @extend_schema(
        parameters=[*schema_lists.filter_parameters(MapFilters), schema_lists.DELETED],
        responses=ObjectMapSerializer,
    )
    @action(detail=False)
    def clusters(self, request: Request) -> Response:
        """The objects in a box of the map: clusters of many, and single ones.

        Filters and search are those of the list; a cluster counts what the list would list.
        """
        parameters = parameters_of(request.query_params)
        seen = (
            [self.get_queryset()]
            if "deleted" in parameters
            else Object.objects.ways_visible_to(self.caller)
        )
        ways, boxes, zoom = on_map(seen, parameters, request)
        return Response(clusters_of(ways, boxes=boxes, zoom=zoom, reader=self.caller))

    @documented(parameters={"supervisor_id": "uuid"}, required=("supervisor_id",), body=False)
    @action(detail=True, methods=["post"])
    def delegate(self, request: Request, pk: str) -> Response:
        """Make a supervisor responsible for the object."""
        raw = request.query_params.get("supervisor_id", "")
        try:
            supervisor_id = UUID(raw)
        except ValueError:
            raise Invalid({"supervisor_id": _("The id of a supervisor is expected.")}) from None
        record = delegate_object(
            actor=self.caller, record_id=self.record_id(), supervisor_id=supervisor_id
        )
        return self.answer(record)


class UnitViewSet(RecordViewSet):
    """Flats and offices."""

    queryset = Unit.objects.none()
    serializer_class = UnitSerializer
    services = UNITS
    scope = "objects"
    filters = UnitFilters
    related = ("object__city", "object__district")
    default_sort = "-updated_at"
    sorts: ClassVar[Any] = {
        "updated_at": "updated_at",
        "created_at": "created_at",
        "unit_number": "unit_number",
        "floor": "floor",
        "entrance": "entrance",
    }
