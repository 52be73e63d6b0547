"""Customers as the API shows and takes them."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clients.models import Interest
from crm.api.fields import (
    MomentField,
    PhoneField,
    StrictBooleanField,
    StrictIntegerField,
    TextField,
    WordsField,
)
from crm.api.serializers import RecordSerializer, ReferenceField, SummarySerializer
from objects.serializers import ObjectSummarySerializer, UnitSummarySerializer

MAX_TEXT = 10_000
CALL_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class CustomerSummarySerializer(SummarySerializer):
    """A customer in short."""

    full_name = serializers.CharField(read_only=True, allow_null=True)
    phone = PhoneField(read_only=True)


@extend_schema_field({"type": "string", "nullable": True, "pattern": CALL_TIME, "example": "18:30"})
class CallTimeField(TextField):
    """A time of day as HH:MM."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.pattern = serializers.RegexField(CALL_TIME)

    def to_internal_value(self, data: object) -> str:
        value = super().to_internal_value(data)
        return str(self.pattern.run_validation(value)) if value else value


class CustomerSerializer(RecordSerializer):
    """A resident or contact person."""

    object_id = ReferenceField()
    unit_id = ReferenceField(required=False, allow_null=True)
    full_name = TextField(required=False, allow_null=True, max_length=200)
    phone = PhoneField()
    portrait_text = TextField(required=False, allow_null=True, max_length=MAX_TEXT)
    current_provider = TextField(required=False, allow_null=True, max_length=200)
    provider_rating = StrictIntegerField(required=False, allow_null=True, min_value=1, max_value=5)
    satisfied = StrictBooleanField(required=False, allow_null=True)
    interests = WordsField(child=serializers.ChoiceField(choices=Interest.choices), required=False)
    preferred_call_time = CallTimeField(required=False, allow_null=True, max_length=5)
    desired_price = serializers.DecimalField(
        required=False,
        allow_null=True,
        max_digits=12,
        decimal_places=2,
        min_value=0,
        coerce_to_string=False,
    )
    notes = TextField(required=False, allow_null=True, max_length=MAX_TEXT)
    gdpr_consent = StrictBooleanField(required=False)
    last_interaction_at = MomentField(read_only=True, allow_null=True)
    object = ObjectSummarySerializer(read_only=True)
    unit = UnitSummarySerializer(read_only=True, allow_null=True)
