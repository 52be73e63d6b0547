"""Addresses under /api/v1."""

from crm.api.routing import endpoints
from crm.territory.views import CityViewSet, DistrictViewSet

urlpatterns = endpoints(
    **{"dictionaries/cities": CityViewSet, "dictionaries/districts": DistrictViewSet}
)
