"""Addresses under /api/v1."""

from django.urls import path

from crm.api.routing import endpoints
from reports.views import ColumnsView, ExportView, PreviewView, ReportJobViewSet

urlpatterns = [
    path("reports/export", ExportView.as_view(), name="reports-export"),
    path("reports/preview", PreviewView.as_view(), name="reports-preview"),
    path("reports/columns", ColumnsView.as_view(), name="reports-columns"),
    *endpoints(**{"reports/jobs": ReportJobViewSet}),
]
