"""Exports as they are asked for and as they are shown."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.fields import MomentField, StrictBooleanField, StrictIntegerField
from crm.jobs.models import JobStatus
from reports.models import ReportEntity, ReportFormat
from reports.selecting import Selection, sort_shown

MAX_COLUMNS = 200
MAX_ROWS = 1000
DEFAULT_ROWS = 20
DIRECTION = {"type": "string", "enum": ["asc", "desc"]}


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [
                {"type": "string"},
                {"type": "number"},
                {"type": "boolean"},
                {
                    "type": "array",
                    "items": {
                        "oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
                    },
                },
            ],
            "nullable": True,
        },
        "example": {"status": ["INTEREST", "CALLBACK"], "updated_from": "2026-01-01"},
    }
)
class FiltersField(serializers.DictField):
    """A list's filters: name → value."""


@extend_schema_field(
    {
        "oneOf": [
            {"type": "object", "additionalProperties": DIRECTION},
            {"type": "string", "example": "-updated_at,address"},
        ],
        "nullable": True,
    }
)
class SortField(serializers.JSONField):
    """An order: field → direction, or as in a list."""


@extend_schema_field({"type": "object", "additionalProperties": DIRECTION})
class ShownSortField(serializers.CharField):
    """The order that was asked for; empty for the list's own."""

    def to_representation(self, value: Any) -> Any:
        return sort_shown(value)


class SelectionSerializer(serializers.Serializer[Any]):
    """Which rows and columns of which list."""

    entity = serializers.ChoiceField(choices=ReportEntity.choices)
    filters = FiltersField(
        required=False,
        allow_null=True,
        help_text="As the list of the entity takes them, `q` and `deleted` included; a list means any of.",
    )
    columns = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        allow_null=True,
        max_length=MAX_COLUMNS,
        help_text="Keys of `GET reports/columns`, in order. Without them: the usual ones.",
    )
    sort = SortField(
        required=False,
        allow_null=True,
        help_text="Field → direction in order of weight, or as a list's `sort`. Without it: the list's own.",
    )
    raw = StrictBooleanField(
        required=False, default=False, help_text="Codes and UTC instead of words and local time."
    )

    def selection(self) -> Selection:
        """What is asked for. Raises Invalid."""
        asked = self.validated_data
        return Selection.of(
            entity=asked["entity"],
            filters=asked.get("filters"),
            sort=asked.get("sort"),
            columns=asked.get("columns"),
        )


class ExportSerializer(SelectionSerializer):
    """An export."""

    format = serializers.ChoiceField(
        choices=ReportFormat.choices, required=False, default=ReportFormat.XLSX
    )


class PreviewSerializer(ExportSerializer):
    """The first rows of an export."""

    limit = StrictIntegerField(
        required=False, default=DEFAULT_ROWS, min_value=1, max_value=MAX_ROWS
    )


class ReportColumnSerializer(serializers.Serializer[Any]):
    """A column that a report can have."""

    key = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="The header, in the caller's language."
    )
    kind = serializers.CharField(help_text="What it holds: text, number, moment, choice …")
    default = serializers.BooleanField(help_text="There when no columns are asked for.")


class ReportPreviewSerializer(serializers.Serializer[Any]):
    """The first rows of an export."""

    rows = serializers.ListField(
        child=serializers.DictField(), help_text="Column → value; moments in UTC."
    )
    total = serializers.IntegerField(help_text="How many rows the file would have.")
    total_estimated = serializers.BooleanField(
        read_only=True, required=False, help_text="There when `total` is an estimate."
    )
    columns = ReportColumnSerializer(many=True)


class ReportJobSerializer(serializers.Serializer[Any]):
    """An export: what was asked for, how far it is, and where it ended."""

    id = serializers.UUIDField(read_only=True)
    owner_id = serializers.UUIDField(read_only=True)
    entity = serializers.ChoiceField(choices=ReportEntity.choices, read_only=True)
    filters_json = serializers.DictField(
        source="filters", child=serializers.CharField(), read_only=True
    )
    columns = serializers.ListField(child=serializers.CharField(), read_only=True)
    sort = ShownSortField(read_only=True)
    format = serializers.ChoiceField(choices=ReportFormat.choices, read_only=True)
    raw = serializers.BooleanField(read_only=True)
    status = serializers.ChoiceField(choices=JobStatus.choices, read_only=True)
    progress = serializers.IntegerField(min_value=0, max_value=100, read_only=True)
    rows_total = serializers.IntegerField(allow_null=True, read_only=True)
    rows_done = serializers.IntegerField(read_only=True)
    file_path = serializers.CharField(
        allow_null=True,
        read_only=True,
        help_text="The name in the storage, while the file is there.",
    )
    file_size = serializers.IntegerField(allow_null=True, read_only=True, help_text="Bytes.")
    error_message = serializers.CharField(
        allow_null=True,
        read_only=True,
        help_text="What went wrong, for a person; while `pending`, of the attempt before.",
    )
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)
    completed_at = MomentField(allow_null=True, read_only=True)
    expires_at = MomentField(allow_null=True, read_only=True)
