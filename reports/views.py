"""Endpoints of reports."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.http import FileResponse, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api import listing
from crm.api.caller import caller_of
from crm.api.fields import moment_text
from crm.api.filters import parameters_of, refuse_unknown
from crm.api.permissions import HasScope
from crm.api.schema import documented
from crm.api.schema_errors import CONFLICT, ErrorSerializer
from crm.api.throttling import ExportThrottle, RoleThrottle
from crm.api.viewsets import ReaderViewSet
from crm.users.models import User
from reports.columns import Column, catalogue
from reports.downloading import MEDIA_TYPES, download
from reports.filters import ReportJobFilters
from reports.models import ReportEntity, ReportJob
from reports.rows import stream
from reports.selecting import Selection
from reports.serializers import (
    ExportSerializer,
    PreviewSerializer,
    ReportColumnSerializer,
    ReportJobSerializer,
    ReportPreviewSerializer,
    SelectionSerializer,
)
from reports.services import cancel_export, request_export

GONE = 410
EXPIRED = (
    "ReportExpired",
    "The file is gone: export again (REPORT_EXPIRED).",
    ErrorSerializer,
)


class ReportView(APIView):
    """The base: administrators and supervisors."""

    permission_classes = (IsAuthenticated, HasScope)
    scope: ClassVar[str] = "reports"


def read(serializer: SelectionSerializer) -> Selection:
    """What a valid body asks for."""
    serializer.is_valid(raise_exception=True)
    return serializer.selection()


class ExportView(ReportView):
    """Exports."""

    http_method_names = ["post"]
    throttle_classes = (RoleThrottle, ExportThrottle)

    @extend_schema(
        operation_id="reports_export",
        request=ExportSerializer,
        responses={
            201: OpenApiResponse(ReportJobSerializer, "The new job."),
            200: OpenApiResponse(
                ReportJobSerializer,
                "The job of the same request, made at most 5 minutes ago and not ended yet.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Have a list written to a file. Everything is checked now, the file is written in the background.

        The file holds what its owner sees at the moment it is written, masked as they see it.
        """
        serializer = ExportSerializer(data=request.data)
        selection = read(serializer)
        job, new = request_export(
            actor=caller_of(request),
            selection=selection,
            format=serializer.validated_data["format"],
            raw=serializer.validated_data["raw"],
        )
        code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response(ReportJobSerializer(job).data, status=code)


class PreviewView(ReportView):
    """Looking before exporting."""

    http_method_names = ["post"]

    @extend_schema(
        operation_id="reports_preview", request=PreviewSerializer, responses=ReportPreviewSerializer
    )
    def post(self, request: Request) -> Response:
        """The first rows of an export, and how many there are."""
        serializer = PreviewSerializer(data=request.data)
        selection = read(serializer)
        asked = serializer.validated_data
        caller = caller_of(request)
        columns = selection.shown()
        rows = selection.rows(caller)
        total, estimated = listing.total_of(rows)
        answer: dict[str, Any] = {
            "rows": previewed(caller, rows[: asked["limit"]], columns, raw=asked["raw"]),
            "total": total,
            "columns": ReportColumnSerializer(columns, many=True).data,
        }
        if estimated:
            answer["total_estimated"] = True
        return Response(answer)


def previewed(user: User, rows: Any, columns: list[Column], *, raw: bool) -> list[dict[str, Any]]:
    """The rows as the file will say them; moments as everywhere in the API."""
    zone = timezone.get_default_timezone()
    language = get_language() or settings.LANGUAGE_CODE
    found = stream(rows, columns, user=user, raw=raw, language=language, zone=zone)
    return [
        {
            column.key: moment_text(cell.replace(tzinfo=zone).astimezone(UTC))
            if isinstance(cell, datetime)
            else cell
            for column, cell in zip(columns, row, strict=True)
        }
        for row in found
    ]


class ColumnsView(ReportView):
    """What reports can show."""

    http_method_names = ["get", "head"]

    @extend_schema(
        operation_id="reports_columns",
        responses=ReportColumnSerializer(many=True),
        parameters=[
            OpenApiParameter(
                "entity", str, required=True, enum=ReportEntity.values, description="Of which list."
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The columns that a report of the entity can have."""
        parameters = parameters_of(request.query_params)
        refuse_unknown(parameters, ["entity"])
        columns = catalogue(parameters.get("entity", ""))
        return Response(ReportColumnSerializer(columns, many=True).data)


class ReportJobViewSet(ReaderViewSet):
    """Exports that were asked for: one's own; an administrator sees everybody's."""

    queryset = ReportJob.objects.none()
    serializer_class = ReportJobSerializer
    scope = "reports"
    filters = ReportJobFilters
    refuses: ClassVar[Any] = ()
    refusals: ClassVar[Any] = {}
    http_method_names = ["get", "post", "head"]
    # A job's answer is worked out from its row (filters, sentences, what has expired); the lists are short.
    by_serializer = True
    default_sort = "-created_at"
    sorts: ClassVar[Any] = {
        "created_at": "created_at",
        "updated_at": "updated_at",
        "completed_at": "completed_at",
        "status": "status",
        "entity": "entity",
    }

    @documented(listing=True, bare=True)
    def list(self, request: Request) -> HttpResponse:
        """The caller's exports, the newest first: a bare array, or a page or step of a cursor.

        `owner_id` asks for other people's. The bare array holds at most 1,000.
        """
        rows = self.get_queryset()
        if not parameters_of(request.query_params).get("owner_id"):
            rows = rows.filter(owner_id=self.caller.pk)
        return self.listed(lambda: rows, bare=True)

    @extend_schema(
        responses={
            (200, media.partition(";")[0]): OpenApiTypes.BINARY for media in MEDIA_TYPES.values()
        }
    )
    @action(detail=True, refuses=(CONFLICT, GONE), refusals={GONE: EXPIRED})
    def download(self, request: Request, pk: str) -> FileResponse:
        """The file of a finished export.

        409 before it is done, or when it failed; 410 after 7 days, and when the caller's role or territory is
        not the one that it was made for.
        """
        return download(self.get_object(), self.caller)

    @documented(body=False)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Call an export off. 409 when it has ended."""
        job = self.get_object()
        cancel_export(job)
        return Response(self.get_serializer(job).data)
