"""Endpoints of visits."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.schema import documented
from crm.api.viewsets import RecordViewSet
from crm.errors import Invalid, Malformed
from visits import services
from visits.filters import ReminderFilters, VisitFilters
from visits.models import Visit
from visits.serializers import (
    CancelSerializer,
    CompleteSerializer,
    MoveSerializer,
    ReminderSerializer,
    VisitSerializer,
)


class VisitViewSet(RecordViewSet):
    """Visits: planned, in progress, done."""

    queryset = Visit.objects.none()
    serializer_class = VisitSerializer
    services = services.VISITS
    scope = "visits"
    filters = VisitFilters
    related = ("object__city", "object__district", "unit", "customer", "engineer")
    default_sort = "-scheduled_at"
    sorts: ClassVar[Any] = {
        "scheduled_at": "scheduled_at",
        "started_at": "started_at",
        "finished_at": "finished_at",
        "next_action_due_at": "next_action_due_at",
        "updated_at": "updated_at",
        "created_at": "created_at",
        "status": "status",
        "engineer": "engineer__full_name",
        "address": "object__address",
    }

    def moved(
        self, serializer_class: type[serializers.Serializer[Any]]
    ) -> tuple[dict[str, Any], int | None]:
        """The body of a status move: its fields, and the version it was based on."""
        body = self.request.data
        if not isinstance(body, Mapping):
            raise Malformed(_("The request body must be a JSON object."))
        tagged = self.version_of_tag()
        if tagged is not None and body.get("version", tagged) != tagged:
            raise Invalid({"version": _("The version in the body differs from If-Match.")})
        given = {"version": tagged, **body} if tagged is not None else body
        serializer = serializer_class(data=given, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        return fields, fields.pop("version", None)

    @documented(body=MoveSerializer)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        """The engineer is at the door."""
        _fields, version = self.moved(MoveSerializer)
        return self.answer(
            services.start_visit(actor=self.caller, record_id=self.record_id(), version=version)
        )

    @documented(body=CompleteSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Finish a visit with its outcome."""
        fields, version = self.moved(CompleteSerializer)
        return self.answer(
            services.complete_visit(
                actor=self.caller, record_id=self.record_id(), changes=fields, version=version
            )
        )

    @documented(body=CancelSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """The visit does not take place."""
        fields, version = self.moved(CancelSerializer)
        return self.answer(
            services.cancel_visit(
                actor=self.caller, record_id=self.record_id(), changes=fields, version=version
            )
        )

    @documented(body=MoveSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Plan a finished or cancelled visit again."""
        _fields, version = self.moved(MoveSerializer)
        return self.answer(
            services.reopen_visit(actor=self.caller, record_id=self.record_id(), version=version)
        )

    @documented(listing=True)
    @action(
        detail=False,
        serializer_class=ReminderSerializer,
        filters=ReminderFilters,
        default_sort="next_action_due_at",
        annotated=("overdue",),
    )
    def reminders(self, request: Request) -> HttpResponse:
        """Promised call-backs, soonest first; overdue ones are marked."""
        return self.listed(self.get_queryset)
