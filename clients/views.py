"""Endpoints of customers."""

from typing import Any, ClassVar

from clients.filters import CustomerFilters
from clients.models import Customer
from clients.serializers import CustomerSerializer
from clients.services import CUSTOMERS
from crm.api.viewsets import RecordViewSet


class CustomerViewSet(RecordViewSet):
    """Residents and contact persons."""

    queryset = Customer.objects.none()
    serializer_class = CustomerSerializer
    services = CUSTOMERS
    scope = "customers"
    filters = CustomerFilters
    related = ("object__city", "object__district", "unit")
    default_sort = "-updated_at"
    sorts: ClassVar[Any] = {
        "updated_at": "updated_at",
        "created_at": "created_at",
        "full_name": "full_name",
        "phone": "phone",
        "provider_rating": "provider_rating",
        "desired_price": "desired_price",
        "last_interaction_at": "last_interaction_at",
    }
    personal_sorts = frozenset({"phone"})
