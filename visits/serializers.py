"""Visits as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from clients.models import Interest
from clients.serializers import MAX_TEXT, CustomerSummarySerializer
from crm.api.fields import DegreesField, MomentField, StrictIntegerField, TextField, WordsField
from crm.api.serializers import PersonSerializer, RecordSerializer, ReferenceField
from objects.serializers import ObjectSummarySerializer, UnitSummarySerializer
from visits.transitions import VisitStatus


class VisitSerializer(RecordSerializer):
    """One visit of one engineer to one object."""

    object_id = ReferenceField()
    unit_id = ReferenceField(required=False, allow_null=True)
    customer_id = ReferenceField(required=False, allow_null=True)
    engineer_id = ReferenceField(required=False, help_text="Defaults to the caller.")
    scheduled_at = MomentField(required=False, allow_null=True)
    started_at = MomentField(required=False, allow_null=True)
    finished_at = MomentField(required=False, allow_null=True)
    status = serializers.ChoiceField(choices=VisitStatus.choices, required=False)
    interests = WordsField(child=serializers.ChoiceField(choices=Interest.choices), required=False)
    outcome_text = TextField(required=False, allow_null=True, max_length=MAX_TEXT)
    next_action_due_at = MomentField(required=False, allow_null=True)
    geo_captured_lat = DegreesField(limit=90)
    geo_captured_lng = DegreesField(limit=180)
    object = ObjectSummarySerializer(read_only=True)
    unit = UnitSummarySerializer(read_only=True, allow_null=True)
    customer = CustomerSummarySerializer(read_only=True, allow_null=True)
    engineer = PersonSerializer(read_only=True)


class ReminderSerializer(VisitSerializer):
    """A promised call-back."""

    overdue = serializers.BooleanField(read_only=True)


class MoveSerializer(serializers.Serializer[Any]):
    """The version that a status move is based on."""

    version = StrictIntegerField(required=False, min_value=1, max_value=2_147_483_647)


class CancelSerializer(MoveSerializer):
    """Why a visit does not take place."""

    outcome_text = TextField(required=False, allow_null=True, max_length=MAX_TEXT)


class CompleteSerializer(serializers.Serializer[Any]):
    """How a visit ended."""

    version = StrictIntegerField(min_value=1, max_value=2_147_483_647)
    status = serializers.ChoiceField(
        choices=[VisitStatus.DONE.value, VisitStatus.CANCELLED.value],
        default=VisitStatus.DONE.value,
    )
    outcome_text = TextField(max_length=MAX_TEXT)
    interests = WordsField(child=serializers.ChoiceField(choices=Interest.choices), required=False)
    next_action_due_at = MomentField(required=False, allow_null=True)
    geo_captured_lat = DegreesField(limit=90)
    geo_captured_lng = DegreesField(limit=180)
