"""Addresses under /api/v1."""

from django.urls import path

from crm.api.routing import endpoints
from visits.analytics_views import EngineersView, ObjectsByCityView, SummaryView, VisitsDailyView
from visits.views import VisitViewSet

urlpatterns = [
    path("analytics/summary", SummaryView.as_view(), name="analytics-summary"),
    path("analytics/objects/by-city", ObjectsByCityView.as_view(), name="analytics-by-city"),
    path("analytics/engineers", EngineersView.as_view(), name="analytics-engineers"),
    path("analytics/visits/daily", VisitsDailyView.as_view(), name="analytics-visits-daily"),
    *endpoints(visits=VisitViewSet),
]
