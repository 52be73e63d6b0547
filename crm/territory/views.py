"""Endpoints of the dictionaries: read by everybody, kept by administrators."""

import hashlib
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils.cache import get_conditional_response
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.api.caller import caller_of
from crm.api.filters import ListFilters, filtered, parameters_of, refuse_unknown
from crm.api.rendering import to_json
from crm.errors import NotFound
from crm.territory import services
from crm.territory.filters import CityFilters, DistrictFilters
from crm.territory.models import City, District
from crm.territory.serializers import CitySerializer, DistrictSerializer


class DictionaryViewSet(GenericViewSet[Any]):
    """A dictionary as a whole, or one entry of it."""

    permission_classes = (IsAuthenticated,)
    http_method_names = ["get", "post", "patch", "delete", "head"]
    filter_backends = ()
    pagination_class = None
    lookup_value_regex = "[^/]+"

    model: ClassVar[Any]
    filters: ClassVar[type[ListFilters]]

    def get_queryset(self) -> QuerySet[Any]:
        """Everybody reads all of it."""
        return self.model.objects.all()  # type: ignore[no-any-return]

    def place_id(self) -> UUID:
        """The id in the path; a malformed one is simply not found."""
        try:
            return UUID(str(self.kwargs["pk"]))
        except ValueError:
            raise NotFound from None

    def list(self, request: Request) -> Response:
        """All entries by name, as a bare array. With `If-None-Match`, 304 when nothing has changed."""
        parameters = parameters_of(request.query_params)
        refuse_unknown(parameters, self.filters.base_filters)
        rows = filtered(self.get_queryset(), parameters, self.filters, request)
        body = self.get_serializer(rows, many=True).data
        # Of the content itself: a transaction that commits late leaves no trace in a latest time of change.
        tag = hashlib.sha256(to_json(body)).hexdigest()[:32]
        response = Response(
            body, headers={"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
        )
        return get_conditional_response(request._request, etag=f'"{tag}"', response=response)  # type: ignore[return-value]

    def retrieve(self, request: Request, pk: str) -> Response:
        """One entry."""
        place = self.get_queryset().filter(pk=self.place_id()).first()
        if place is None:
            raise NotFound
        return Response(self.get_serializer(place).data)

    def create(self, request: Request) -> Response:
        """Add an entry. Administrators only."""
        services.must_administer(caller_of(request))
        values = self.checked(partial=False)
        place = services.create_place(self.model, actor=caller_of(request), values=values)
        return Response(self.shown(place), status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an entry. Administrators only."""
        services.must_administer(caller_of(request))
        changes = self.checked(partial=True)
        place = services.update_place(
            self.model, actor=caller_of(request), place_id=self.place_id(), changes=changes
        )
        return Response(self.shown(place))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an entry that nothing refers to. Administrators only."""
        services.delete_place(self.model, actor=caller_of(request), place_id=self.place_id())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def checked(self, *, partial: bool) -> dict[str, Any]:
        """The body's fields by column."""
        serializer = self.get_serializer(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def shown(self, place: City | District) -> Any:
        """The entry as it is now."""
        return self.get_serializer(self.get_queryset().get(pk=place.pk)).data


class CityViewSet(DictionaryViewSet):
    """Cities."""

    queryset = City.objects.none()
    model = City
    serializer_class = CitySerializer
    filters = CityFilters


class DistrictViewSet(DictionaryViewSet):
    """Districts."""

    queryset = District.objects.none()
    model = District
    serializer_class = DistrictSerializer
    filters = DistrictFilters

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("city")
