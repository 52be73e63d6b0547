"""What an entry's before and after come to."""

from collections.abc import Collection, Mapping
from typing import Any, NotRequired, TypedDict

# Moves with every change, or says what the entry says anyway.
BOOKKEEPING = frozenset({"id", "version", "created_at", "updated_at", "updated_by_id"})


class ChangedField(TypedDict):
    """A field's values. `changed` stands where they are masks that look alike, and is true."""

    old: Any
    new: Any
    changed: NotRequired[bool]


def changed_fields(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, alike: Collection[str]
) -> dict[str, ChangedField]:
    """Field → old and new, in the order of `after`. What is absent on one side is null there.

    alike: fields that changed although both sides look the same.
    """
    before, after = before or {}, after or {}
    found: dict[str, ChangedField] = {}
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        if name in alike:
            found[name] = {"old": old, "new": new, "changed": True}
        elif old != new and name not in BOOKKEEPING:
            found[name] = {"old": old, "new": new}
    return found
