"""What the trail can be narrowed by."""

from typing import Any

from audit.registrations import entity_words
from crm.api.filters import AnyOf, AnyOfChoices, AnyOfIds, ChoiceField, From, ListFilters, Until
from crm.changes import Action


class AnyCaseField(ChoiceField):
    """Codes in any case."""

    def to_python(self, value: Any) -> list[str] | None:
        return super().to_python(str(value or "").lower())


class EntityField(AnyCaseField):
    """Entities, in the singular or plural."""

    def to_python(self, value: Any) -> list[str] | None:
        words = super().to_python(value)
        return None if words is None else sorted({entity_words()[word] for word in words})


class AnyOfActions(AnyOfChoices):
    """Any of these events, in any case."""

    field_class = AnyCaseField


class AnyOfEntities(AnyOfChoices):
    """About any of these: `object` or `objects`."""

    field_class = EntityField


class AuditFilters(ListFilters):
    """Filters of entries."""

    searched = False
    # Entries never change.
    updated_from = None  # type: ignore[assignment]
    updated_to = None  # type: ignore[assignment]

    actor_id = AnyOfIds(field_name="actor_id")
    entity_type = AnyOfEntities(field_name="entity_type", choices=list(entity_words()))
    entity_id = AnyOfIds(field_name="entity_id")
    action = AnyOfActions(field_name="action", choices=[str(action) for action in Action])
    since = From(field_name="timestamp", label="Occurred at or after")
    until = Until(field_name="timestamp", label="Occurred at or before")
    request_id = AnyOf(field_name="cid")
