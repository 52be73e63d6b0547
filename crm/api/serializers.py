"""The base of every record's serializer: one declaration for input, output and schema."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from crm.api.fields import MomentField, StrictBooleanField, StrictIntegerField


class ReferenceField(serializers.UUIDField):
    """The id of another record. Whether the caller may see that one is the service's question."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "")
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class SummarySerializer(serializers.Serializer[Any]):
    """A nested summary; null for what was deleted."""

    id = serializers.UUIDField(read_only=True)

    def to_representation(self, instance: Any) -> Any:
        return (
            None if getattr(instance, "deleted_at", None) else super().to_representation(instance)
        )


class PlaceSerializer(SummarySerializer):
    """A city or district in short."""

    name = serializers.CharField(read_only=True)


class PersonSerializer(SummarySerializer):
    """A colleague in short."""

    full_name = serializers.CharField(read_only=True)


class RecordSerializer(serializers.Serializer[Any]):
    """What every versioned record has. `version` and `force` in a change drive optimistic locking."""

    id = serializers.UUIDField(read_only=True)
    version = StrictIntegerField(required=False, min_value=1, max_value=2_147_483_647)
    force = StrictBooleanField(required=False, write_only=True)
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)

    # Rules on several fields at once belong to the services: every door must meet them.
    def create(self, validated_data: Any) -> Any:
        raise NotImplementedError

    def update(self, instance: Any, validated_data: Any) -> Any:
        raise NotImplementedError
