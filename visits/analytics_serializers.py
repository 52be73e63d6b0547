"""Figures as the API shows them."""

from typing import Any

from rest_framework import serializers

from crm.api.fields import MomentField, numbers_by
from objects.models import ObjectStatus
from visits.analytics import PERIOD_DAYS
from visits.transitions import VisitStatus


def number(help_text: str = "") -> serializers.IntegerField:
    """How many."""
    return serializers.IntegerField(min_value=0, read_only=True, help_text=help_text)


def share() -> serializers.FloatField:
    """The completed share of the visits."""
    return serializers.FloatField(
        min_value=0,
        max_value=1,
        read_only=True,
        help_text="completed_visits / total_visits; 0 of none.",
    )


class AnalyticsSummarySerializer(serializers.Serializer[Any]):
    """The figures of one glance."""

    period = serializers.ChoiceField(choices=[*PERIOD_DAYS], read_only=True)
    since = MomentField(read_only=True, help_text="Where the period begins.")
    objects_total = number()
    objects_in_work = number("Objects with the status INTEREST.")
    objects_by_status = numbers_by(ObjectStatus.values)
    customers_total = number()
    total_visits = number("Visits scheduled in the period.")
    completed_visits = number("Those of them that are DONE.")
    completion_rate = share()
    visits_by_status = numbers_by(VisitStatus.values)
    callbacks_due = number("Call-backs due by the end of today, the overdue ones included.")
    callbacks_overdue = number("Call-backs past their time.")


class CityFiguresSerializer(serializers.Serializer[Any]):
    """Objects of one city."""

    city_id = serializers.UUIDField(read_only=True)
    city = serializers.CharField(read_only=True)
    total = number()
    in_work = number("Objects with the status INTEREST.")


class CitiesSerializer(serializers.Serializer[Any]):
    """Objects by city."""

    items = CityFiguresSerializer(many=True, read_only=True)


class EngineerFiguresSerializer(serializers.Serializer[Any]):
    """One engineer's work."""

    engineer_id = serializers.UUIDField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    total_visits = number("Visits scheduled in the period.")
    completed_visits = number("Those of them that are DONE.")
    completion_rate = share()
    callbacks_overdue = number("Call-backs past their time, of whatever visit.")


class EngineersSerializer(serializers.Serializer[Any]):
    """The work of each engineer."""

    items = EngineerFiguresSerializer(many=True, read_only=True)


class DayFiguresSerializer(serializers.Serializer[Any]):
    """Visits scheduled for one local day."""

    date = serializers.DateField(read_only=True)
    planned = number()
    in_progress = number()
    completed = number()
    cancelled = number()
    total = number()


class DaysSerializer(serializers.Serializer[Any]):
    """Visits day by day."""

    items = DayFiguresSerializer(many=True, read_only=True)
