"""Addresses under /api/v1."""

from clients.views import CustomerViewSet
from crm.api.routing import endpoints

urlpatterns = endpoints(customers=CustomerViewSet)
