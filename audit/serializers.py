"""Entries as the API shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.fields import MomentField
from crm.changes import Action

FACTS = {
    "type": "object",
    "nullable": True,
    "additionalProperties": True,
    "description": "The record's fields; phones and e-mail addresses are masked.",
}
SUMMARY = {
    "type": "object",
    "description": "Field → its old and new value, of the fields that changed.",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "old": {"nullable": True},
            "new": {"nullable": True},
            "changed": {
                "type": "boolean",
                "description": "There, and true, where old and new are masks that look alike.",
            },
        },
        "required": ["old", "new"],
        "additionalProperties": False,
    },
}


@extend_schema_field(FACTS)
class FactsField(serializers.JSONField):
    """A record's fields at one moment."""


@extend_schema_field(SUMMARY)
class SummaryField(serializers.JSONField):
    """What changed."""


class AuditEntrySerializer(serializers.Serializer[Any]):
    """One entry. Nobody writes through it."""

    id = serializers.UUIDField(read_only=True)
    actor_id = serializers.UUIDField(read_only=True, allow_null=True)
    actor_name = serializers.CharField(read_only=True, allow_null=True)
    action = serializers.ChoiceField(
        read_only=True, choices=[(action.value, action.name) for action in Action]
    )
    entity_type = serializers.CharField(read_only=True)
    entity_id = serializers.UUIDField(read_only=True, allow_null=True)
    before_json = FactsField(source="before", read_only=True, allow_null=True)
    after_json = FactsField(source="after", read_only=True, allow_null=True)
    changes_summary = SummaryField(read_only=True)
    ip_address = serializers.CharField(source="remote_addr", read_only=True, allow_null=True)
    user_agent = serializers.CharField(read_only=True, allow_null=True)
    request_id = serializers.CharField(source="cid", read_only=True, allow_null=True)
    occurred_at = MomentField(source="timestamp", read_only=True)
