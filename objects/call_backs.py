"""The port through which objects hear of their next call-back. Visits, a floor above, know."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from crm.users.models import User

# (ids of objects, reader) → object id → the moment of the earliest call-back that the reader may know of.
Source = Callable[[Sequence[UUID], "User"], Mapping[UUID, datetime]]

_sources: list[Source] = []


def tell_by(source: Source) -> Source:
    """Register who knows call-backs; also a decorator."""
    if source not in _sources:
        _sources.append(source)
    return source


def next_call_backs(object_ids: Sequence[UUID], reader: "User") -> dict[UUID, datetime]:
    """Object id → when to call back next, overdue ones included; without those that nobody waits for.

    One query for each source, however many objects.
    """
    found: dict[UUID, datetime] = {}
    for source in _sources if object_ids else ():
        for object_id, moment in source(object_ids, reader).items():
            found[object_id] = min(moment, found.get(object_id, moment))
    return found
