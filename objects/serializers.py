"""Objects and units as the API shows and takes them."""

from rest_framework import serializers

from crm.api.fields import (
    DegreesField,
    JSONObjectField,
    MomentField,
    PhoneField,
    StrictIntegerField,
    TextField,
    WordsField,
)
from crm.api.serializers import (
    PersonSerializer,
    PlaceSerializer,
    RecordSerializer,
    ReferenceField,
    SummarySerializer,
)
from objects.models import MAX_ADDRESS, MIN_ADDRESS, ObjectStatus, ObjectType

MAX_TAGS = 50


class ObjectSummarySerializer(SummarySerializer):
    """What a visit or customer tells of its object, so that no second request is needed."""

    type = serializers.ChoiceField(choices=ObjectType.choices, read_only=True)
    address = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=ObjectStatus.choices, read_only=True)
    gps_lat = serializers.FloatField(read_only=True, allow_null=True)
    gps_lng = serializers.FloatField(read_only=True, allow_null=True)
    city = PlaceSerializer(read_only=True)
    district = PlaceSerializer(read_only=True, allow_null=True)


class UnitSummarySerializer(SummarySerializer):
    """A flat or office in short."""

    unit_number = serializers.CharField(read_only=True)


class ObjectSerializer(RecordSerializer):
    """A building or place."""

    type = serializers.ChoiceField(choices=ObjectType.choices)
    address = TextField(min_length=MIN_ADDRESS, max_length=MAX_ADDRESS)
    city_id = ReferenceField(required=False, help_text="Defaults to the caller's own city.")
    district_id = ReferenceField(required=False, allow_null=True)
    gps_lat = DegreesField(limit=90)
    gps_lng = DegreesField(limit=180)
    status = serializers.ChoiceField(choices=ObjectStatus.choices, required=False)
    tags = WordsField(child=TextField(max_length=100), required=False, max_length=MAX_TAGS)
    responsible_user_id = ReferenceField(required=False, allow_null=True)
    contact_name = TextField(required=False, allow_null=True, max_length=200)
    contact_phone = PhoneField()
    visits_count = serializers.IntegerField(read_only=True)
    last_visit_at = MomentField(read_only=True, allow_null=True)
    created_by = serializers.UUIDField(source="created_by_id", read_only=True, allow_null=True)
    updated_by = serializers.UUIDField(source="updated_by_id", read_only=True, allow_null=True)
    city = PlaceSerializer(read_only=True)
    district = PlaceSerializer(read_only=True, allow_null=True)
    responsible_user = PersonSerializer(read_only=True, allow_null=True)
    # A row that was not measured has no such attribute, and the field is left out.
    distance_m = serializers.FloatField(
        read_only=True, required=False, help_text="Only with `near`."
    )


class UnitSerializer(RecordSerializer):
    """A flat or office."""

    object_id = ReferenceField()
    unit_number = TextField(max_length=32)
    floor = StrictIntegerField(required=False, allow_null=True, min_value=-20, max_value=500)
    entrance = StrictIntegerField(required=False, allow_null=True, min_value=0, max_value=1000)
    attributes = JSONObjectField(required=False)
    object = ObjectSummarySerializer(read_only=True)
