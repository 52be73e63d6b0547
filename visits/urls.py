"""Addresses under /api/v1."""

from crm.api.routing import endpoints
from visits.views import VisitViewSet

urlpatterns = endpoints(visits=VisitViewSet)
