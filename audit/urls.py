"""Addresses under /api/v1."""

from audit.views import AuditViewSet
from crm.api.routing import endpoints

urlpatterns = endpoints(audit=AuditViewSet)
