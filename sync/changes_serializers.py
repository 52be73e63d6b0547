"""What a pull takes and answers, for reading requests and for the schema."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.fields import MomentField, StrictIntegerField
from crm.api.moments import parse_moment
from sync.entities import TABLES
from sync.feed import DEFAULT_LIMIT, MAX_LIMIT


@extend_schema_field(
    {
        "oneOf": [
            {"type": "array", "items": {"type": "string", "enum": [*TABLES]}},
            {"type": "string", "example": "objects,visits"},
        ]
    }
)
class TablesField(serializers.Field[Any, Any, Any, Any]):
    """Names of tables: a list, or text with commas. In the feed's order, each once."""

    default_error_messages = {"unknown": gettext_lazy("Known tables: %(known)s.")}

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        names = data.split(",") if isinstance(data, str) else data
        listed = isinstance(names, list) and all(isinstance(name, str) for name in names)
        wanted = {name.strip() for name in names} - {""} if listed else {None}
        if not wanted <= set(TABLES):
            known = ", ".join(TABLES)
            raise serializers.ValidationError(self.error_messages["unknown"] % {"known": known})
        return tuple(name for name in TABLES if name in wanted) or TABLES

    def to_representation(self, value: Any) -> Any:
        return list(value)


class ChangesQuerySerializer(serializers.Serializer[Any]):
    """Where to begin, and how much."""

    cursor = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=2000,
        trim_whitespace=True,
        help_text="`next_cursor` of the page before; nothing for a phone's first sync.",
    )
    since = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=2000,
        help_text="A moment (ISO 8601), as a best effort; or a cursor.",
    )
    tables = TablesField(required=False, help_text="All of them by default.")
    limit = StrictIntegerField(
        required=False, min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        cursor, since = (attrs.get("cursor") or "").strip(), (attrs.get("since") or "").strip()
        if cursor and since:
            raise serializers.ValidationError({"since": _("Give either a cursor or a moment.")})
        moment = None
        if since:
            try:
                moment = parse_moment(since, end=False)
            except ValueError:
                if looks_like_a_moment(since):
                    raise serializers.ValidationError(
                        {"since": _("This is not a moment.")}
                    ) from None
                cursor = since
        return {
            "cursor": cursor,
            "since": moment,
            "tables": attrs.get("tables") or TABLES,
            "limit": attrs.get("limit", DEFAULT_LIMIT),
        }


def looks_like_a_moment(text: str) -> bool:
    """Whether a text that cannot be read was meant as a time: a cursor begins otherwise and is longer."""
    try:
        return parse_datetime(text) is not None or text[:4].isdigit()
    except ValueError:
        return True


class ChangeSerializer(serializers.Serializer[Any]):
    """One record as it is now, or that it is to be forgotten."""

    id = serializers.UUIDField()
    table_name = serializers.ChoiceField(choices=TABLES)
    action = serializers.ChoiceField(choices=["create", "update", "delete"])
    data = serializers.DictField(  # type: ignore[assignment]
        allow_null=True, help_text="The record's own fields, as in its detail; null for a deletion."
    )
    updated_at = MomentField()
    version = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=["deleted", "out_of_scope"], allow_null=True)


class ChangesSerializer(serializers.Serializer[Any]):
    """A page of the feed."""

    items = ChangeSerializer(many=True)
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(
        help_text="Keep it with the page's rows, in one transaction."
    )
    server_time = MomentField()
