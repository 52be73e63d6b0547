"""The trail's endpoint. Reading is all that there is."""

from typing import Any, ClassVar

from audit.filters import AuditFilters
from audit.models import AuditEntry
from audit.serializers import AuditEntrySerializer
from crm.api.listing import SortKey
from crm.api.viewsets import ReaderViewSet


class AuditViewSet(ReaderViewSet):
    """Who did what to which record, when, from where, and what it was before and after.

    Supervisors see the entries of their city and their own actions. Nobody can change an entry.
    """

    queryset = AuditEntry.objects.none()
    serializer_class = AuditEntrySerializer
    scope = "audit"
    filters = AuditFilters
    default_sort = "-occurred_at"
    sorts: ClassVar[Any] = {"occurred_at": "timestamp"}
    # The ids' own order, in the words of the indexes by city and actor.
    cursor_keys = (
        SortKey("timestamp", descending=False, nullable=False),
        SortKey("pk", descending=False, nullable=False),
    )
    http_method_names = ["get", "head"]
    # What changed is worked out in Python, from before and after.
    by_serializer = True
