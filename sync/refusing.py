"""How a refused item is kept: with its payload, its reason, and the territory whose supervisors see it."""

import json
from typing import Any
from uuid import UUID

from objects.models import Object
from sync.batch import Item, as_json, too_deep
from sync.outcomes import Outcome, code_of
from sync.refused import RefusedItem
from sync.resolving import Ground


def refused_item(item: Item, outcome: Outcome, ground: Ground, device: str) -> RefusedItem:
    """The row to keep."""
    city, district = place_of(item, ground)
    error = outcome.error
    return RefusedItem(
        user_id=ground.actor.pk,
        fingerprint=item.fingerprint,
        device=device,
        table=item.table,
        record_id=item.id,
        item=storable(item),
        status=str(outcome.status),
        error_code="" if error is None else code_of(error),
        message="" if error is None else str(error.message),
        city_id=city,
        district_id=district,
    )


def storable(item: Item) -> Any:
    """The item as it came; as text where it is deeper than a database holds JSON."""
    text = as_json(item.raw).decode()
    return {"text": text} if too_deep(item.raw) else json.loads(text)


def place_of(item: Item, ground: Ground) -> tuple[UUID | None, UUID | None]:
    """City and district: of the object that it is about, else of whoever pushed."""
    standing = ground.standings.get(item.key)
    record: Any = standing.record if standing is not None and standing.in_sight else None
    place = getattr(record, "object", record)
    if place is None:
        place = ground.refs.find(Object, item.values.get("object_id"))
    if place is None:
        place = ground.actor
    return place.city_id, place.district_id
