"""analytics/…: figures of the work, as far as the caller sees it."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.caller import caller_of
from crm.api.filters import parameters_of, refuse_unknown
from crm.api.listing import whole_number
from crm.api.permissions import HasScope
from crm.errors import Invalid
from visits import analytics
from visits.analytics import PERIOD_DAYS, Slice
from visits.analytics_serializers import (
    AnalyticsSummarySerializer,
    CitiesSerializer,
    DaysSerializer,
    EngineersSerializer,
)

DEFAULT_PERIOD = "week"
DEFAULT_DAYS, MAX_DAYS = 30, 366

CITY = OpenApiParameter(
    "city_id", {"type": "string", "format": "uuid"}, description="A city in the caller's sight."
)
PERIOD = OpenApiParameter(
    "period",
    {"type": "string", "enum": [*PERIOD_DAYS], "default": DEFAULT_PERIOD},
    description="Visits scheduled in the last 1, 7, 30 or 365 days.",
)


class AnalyticsView(APIView):
    """What the figures have in common: their parameters, and whose they are."""

    permission_classes = (IsAuthenticated, HasScope)
    http_method_names = ["get", "head"]
    scope = "visits"
    # The parameters of this address.
    known: ClassVar[tuple[str, ...]]

    def parameters(self) -> dict[str, str]:
        """Parameter → value, blanks left out. Raises Invalid for an unknown one."""
        given = parameters_of(self.request.query_params)
        refuse_unknown(given, self.known)
        return {name: value.strip() for name, value in given.items() if value.strip()}

    def cut(self, parameters: dict[str, str]) -> Slice:
        """Whose figures. Raises Invalid for a city that is none, or out of the caller's sight."""
        reader = caller_of(self.request)
        raw = parameters.get("city_id")
        if raw is None:
            return Slice(reader)
        try:
            city_id = UUID(raw)
        except ValueError:
            raise Invalid({"city_id": _("The id of a city is expected.")}) from None
        if not analytics.cities_in_sight(reader).filter(pk=city_id).exists():
            raise Invalid({"city_id": _("There is no such record, or you cannot see it.")})
        return Slice(reader, city_id)


def period_of(parameters: dict[str, str]) -> str:
    """The period asked for. Raises Invalid that lists the known ones."""
    period = parameters.get("period", DEFAULT_PERIOD)
    if period not in PERIOD_DAYS:
        raise Invalid(
            {
                "period": _("Unknown value “%(value)s”. Known values: %(known)s.")
                % {"value": period, "known": ", ".join(PERIOD_DAYS)}
            }
        )
    return period


def date_of(parameters: dict[str, str], name: str) -> date | None:
    """A date parameter. Raises Invalid."""
    raw = parameters.get(name)
    if raw is None:
        return None
    try:
        found = parse_date(raw)
    except ValueError:
        found = None
    # The calendar's last years have no local day in every zone.
    if found is None or not date(1900, 1, 1) <= found <= date(2999, 12, 31):
        raise Invalid({name: _("A date (YYYY-MM-DD) is expected.")})
    return found


def days_of(parameters: dict[str, str]) -> tuple[date, date]:
    """The first and the last local day asked for; the last `days` of them, up to today, by default.

    `days`, `period`, and `date_from` with `date_to` are three ways to say it. Raises Invalid.
    """
    first, last = date_of(parameters, "date_from"), date_of(parameters, "date_to")
    ways = [name for name in ("days", "period") if name in parameters]
    if len(ways) + bool(first or last) > 1:
        raise Invalid({ways[0]: _("Give either days, or a period, or dates.")})
    days = whole_number(parameters, "days", DEFAULT_DAYS, MAX_DAYS)
    if "period" in parameters:
        days = PERIOD_DAYS[period_of(parameters)]
    today = analytics.local_date(timezone.now())
    if first is not None and last is None:
        # From a day to come it cannot reach back to today.
        last = today if first <= today else first + timedelta(days=days - 1)
    last = last or today
    first = first or last - timedelta(days=days - 1)
    if first > last:
        raise Invalid({"date_to": _("The last day lies before the first.")})
    if (last - first).days >= MAX_DAYS:
        raise Invalid({"date_to": _("At most %(limit)s days are allowed.") % {"limit": MAX_DAYS}})
    return first, last


class SummaryView(AnalyticsView):
    """The figures of one glance."""

    known = ("period", "city_id")

    @extend_schema(
        operation_id="analytics_summary",
        parameters=[PERIOD, CITY],
        responses=AnalyticsSummarySerializer,
    )
    def get(self, request: Request) -> Response:
        """Objects and customers as of now, visits scheduled in the period, call-backs due.

        An engineer's are their own visits, and the objects that they see.
        """
        parameters = self.parameters()
        period = period_of(parameters)
        figures = analytics.summary(self.cut(parameters), period=period)
        return Response(AnalyticsSummarySerializer(asdict(figures)).data)


class ObjectsByCityView(AnalyticsView):
    """Objects of each city."""

    known = ("city_id",)

    @extend_schema(
        operation_id="analytics_objects_by_city", parameters=[CITY], responses=CitiesSerializer
    )
    def get(self, request: Request) -> Response:
        """How many objects each city has, and how many of them are in work (INTEREST)."""
        items = analytics.objects_by_city(self.cut(self.parameters()))
        return Response(CitiesSerializer({"items": items}).data)


class EngineersView(AnalyticsView):
    """The work of each engineer."""

    known = ("period", "city_id")

    @extend_schema(
        operation_id="analytics_engineers",
        parameters=[PERIOD, CITY],
        responses=EngineersSerializer,
    )
    def get(self, request: Request) -> Response:
        """Visits and completion of each engineer. Engineers get their own line only."""
        parameters = self.parameters()
        period = period_of(parameters)
        items = analytics.engineers(self.cut(parameters), period=period)
        return Response(EngineersSerializer({"items": items}).data)


class VisitsDailyView(AnalyticsView):
    """Visits of each day."""

    known = ("days", "period", "date_from", "date_to", "city_id")

    @extend_schema(
        operation_id="analytics_visits_daily",
        parameters=[
            OpenApiParameter(
                "days",
                {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_DAYS,
                    "default": DEFAULT_DAYS,
                },
                description="The last so many days, today included.",
            ),
            OpenApiParameter(
                "period",
                {"type": "string", "enum": [*PERIOD_DAYS]},
                description="The last 1, 7, 30 or 365 days, today included; instead of days.",
            ),
            OpenApiParameter(
                "date_from",
                {"type": "string", "format": "date"},
                description="The first day; instead of days.",
            ),
            OpenApiParameter(
                "date_to",
                {"type": "string", "format": "date"},
                description=f"The last day. At most {MAX_DAYS} days together.",
            ),
            CITY,
        ],
        responses=DaysSerializer,
    )
    def get(self, request: Request) -> Response:
        """Visits scheduled for each local day of the installation's time zone. Every day is there."""
        parameters = self.parameters()
        first, last = days_of(parameters)
        items: list[Any] = analytics.visits_daily(self.cut(parameters), first=first, last=last)
        return Response(DaysSerializer({"items": items}).data)
