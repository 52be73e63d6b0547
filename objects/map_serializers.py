"""The map's answer, for the schema; `objects.clusters` makes it."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from crm.api.fields import MomentField, numbers_by
from crm.api.serializers import PersonSerializer
from crm.map_grid import MAX_ZOOM
from objects.models import ObjectStatus, ObjectType


def constant(word: str) -> serializers.RegexField:
    """A member that always says the same, as GeoJSON has them."""
    return serializers.RegexField(f"^{word}$", read_only=True)


def degrees(count: int, help_text: str) -> serializers.ListField:
    """So many numbers, longitudes before latitudes."""
    return serializers.ListField(
        child=serializers.FloatField(),
        min_length=count,
        max_length=count,
        read_only=True,
        help_text=help_text,
    )


class MapPointSerializer(serializers.Serializer[Any]):
    """A place."""

    type = constant("Point")
    coordinates = degrees(2, "Longitude, latitude; of a cluster the mean of its objects.")


class ClusterPropertiesSerializer(serializers.Serializer[Any]):
    """How many objects a cluster stands for."""

    cluster = serializers.BooleanField(read_only=True, help_text="true")
    count = serializers.IntegerField(min_value=1, read_only=True)
    by_status = numbers_by(ObjectStatus.values)


class MapObjectPropertiesSerializer(serializers.Serializer[Any]):
    """An object in short."""

    cluster = serializers.BooleanField(read_only=True, help_text="false")
    address = serializers.CharField(read_only=True)
    type = serializers.ChoiceField(choices=ObjectType.choices, read_only=True)
    status = serializers.ChoiceField(choices=ObjectStatus.choices, read_only=True)
    responsible_user = PersonSerializer(read_only=True, allow_null=True)
    last_visit_at = MomentField(read_only=True, allow_null=True)
    next_action_due_at = MomentField(
        read_only=True,
        allow_null=True,
        help_text="The earliest promised call-back of the visits that the caller sees.",
    )


class ClusterFeatureSerializer(serializers.Serializer[Any]):
    """Many objects."""

    type = constant("Feature")
    id = serializers.CharField(read_only=True, help_text="The cell of the grid.")
    bbox = degrees(4, "West, south, east, north of its objects.")
    geometry = MapPointSerializer(read_only=True)
    properties = ClusterPropertiesSerializer(read_only=True)


class MapObjectFeatureSerializer(serializers.Serializer[Any]):
    """One object."""

    type = constant("Feature")
    id = serializers.UUIDField(read_only=True)
    geometry = MapPointSerializer(read_only=True)
    properties = MapObjectPropertiesSerializer(read_only=True)


class ObjectMapSerializer(serializers.Serializer[Any]):
    """A GeoJSON FeatureCollection."""

    type = constant("FeatureCollection")
    zoom = serializers.IntegerField(
        min_value=0,
        max_value=MAX_ZOOM,
        read_only=True,
        help_text="The zoom of the grid: coarser than asked where the box is large.",
    )
    total = serializers.IntegerField(
        min_value=0, read_only=True, help_text="Objects in the box; the sum over the features."
    )
    by_status = numbers_by(ObjectStatus.values)
    features = PolymorphicProxySerializer(
        component_name="MapFeature",
        serializers=[ClusterFeatureSerializer, MapObjectFeatureSerializer],
        resource_type_field_name=None,
        many=True,
    )
