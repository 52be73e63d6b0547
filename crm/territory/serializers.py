"""Cities and districts as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from crm.api.fields import MomentField, TextField
from crm.api.serializers import PlaceSerializer, ReferenceField

MAX_NAME, MAX_TIME_ZONE = 200, 64


class CitySerializer(serializers.Serializer[Any]):
    """A city with its own local time."""

    id = serializers.UUIDField(read_only=True)
    name = TextField(max_length=MAX_NAME)
    time_zone = TextField(
        max_length=MAX_TIME_ZONE,
        required=False,
        help_text="A name of the IANA time zone database; default Europe/Moscow.",
    )
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)


class DistrictSerializer(serializers.Serializer[Any]):
    """A part of one city."""

    id = serializers.UUIDField(read_only=True)
    name = TextField(max_length=MAX_NAME)
    city_id = ReferenceField()
    city = PlaceSerializer(read_only=True)
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)
