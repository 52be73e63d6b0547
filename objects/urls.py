"""Addresses under /api/v1."""

from crm.api.routing import endpoints
from objects.views import ObjectViewSet, UnitViewSet

urlpatterns = endpoints(objects=ObjectViewSet, units=UnitViewSet)
