"""A push and its answer, as the schema describes them. Items are read without serializers: see sync.batch."""

from typing import Any

from rest_framework import serializers

from crm.api.schema_errors import (
    ConflictErrorSerializer,
    DifferenceSerializer,
    ResolutionHintsSerializer,
)
from crm.merge import Strategy
from sync.batch import DELETE, MAX_ITEMS, UPSERT
from sync.kinds import TABLES
from sync.outcomes import Status


class ItemSerializer(serializers.Serializer[Any]):
    """One edit of one record."""

    client_generated_id = serializers.UUIDField(help_text="The record's id; a new one creates it.")
    table_name = serializers.ChoiceField(choices=TABLES)
    action = serializers.ChoiceField(choices=[UPSERT, DELETE], required=False, default=UPSERT)
    payload = serializers.DictField(
        required=False, allow_null=True, help_text="Only the fields that changed."
    )
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text="The version that the edit is based on.",
    )
    updated_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it was typed; tells repeated items apart."
    )


class BatchSerializer(serializers.Serializer[Any]):
    """Edits made offline."""

    items = ItemSerializer(many=True, min_length=1, max_length=MAX_ITEMS)  # type: ignore[call-arg]
    strategy = serializers.ChoiceField(
        choices=list(Strategy), required=False, allow_null=True, default=Strategy.REJECT.value
    )
    force = serializers.BooleanField(required=False, help_text="The same as strategy: force.")


class ResultSerializer(serializers.Serializer[Any]):
    """What became of one item."""

    client_generated_id = serializers.CharField()
    server_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    server_version = serializers.IntegerField(allow_null=True)
    replayed = serializers.BooleanField(
        help_text="It had been applied before; nothing changed now."
    )
    error_code = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), allow_null=True
    )
    diff = DifferenceSerializer(allow_null=True)
    resolution_hints = ResolutionHintsSerializer(allow_null=True)
    existing_id = serializers.UUIDField(
        allow_null=True, help_text="DUPLICATE: the record in the way, if the caller may see it."
    )
    ignored_fields = serializers.ListField(child=serializers.CharField())


class BatchResultSerializer(serializers.Serializer[Any]):
    """The results, in the order of the items."""

    results = ResultSerializer(many=True)
    conflicts_count = serializers.IntegerField()
    errors_count = serializers.IntegerField()


class BatchConflictSerializer(BatchResultSerializer, ConflictErrorSerializer):
    """The same, with the envelope of the first conflict."""
