"""What a batch needs to know of the database, locked and looked up in a number of queries that does not grow.

Locks are taken as everywhere: objects first, then what hangs on them, each table in id order. So two batches
over the same rows, or a batch and an edit by the API, wait for each other and never in a circle.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models

from clients.models import Customer
from crm.db.among import among
from crm.records import Record
from crm.references import References
from crm.territory.models import City, District
from crm.users.models import User
from objects.models import Object, Unit
from sync.batch import Item
from sync.kinds import KINDS, Kind
from sync.unique_values import UniqueValues
from visits.models import Visit
from visits.transitions import VisitStatus

Key = tuple[str, UUID]


class Moved(Exception):
    """Somebody else was faster: everything must be looked at again."""


@dataclass
class Standing:
    """How one record stands while the batch is worked off.

    own: versions that items of this batch (or their earlier copies) produced; produced: the last of them.
    orphaned: an item that was to create the record failed.
    """

    record: Record | None = None
    in_sight: bool = False
    own: set[int] = field(default_factory=set)
    produced: int | None = None
    orphaned: bool = False


@dataclass
class Ground:
    """Everything that the judging of items may ask for."""

    actor: User
    refs: References
    standings: dict[Key, Standing]
    unique: dict[str, UniqueValues]


def resolve(actor: User, items: Sequence[Item]) -> Ground:
    """Lock and look up everything that the items touch. Raises Moved."""
    ids = {table: sorted({item.id for item in items if item.table == table}) for table in KINDS}
    found: dict[str, dict[UUID, Any]] = {"objects": lock_objects(ids, items)}
    for table in ("units", "customers", "visits"):
        found[table] = lock_hanging(KINDS[table], ids[table], found["objects"])
    refs = References(actor)
    fetch_references(refs, items, found)
    standings: dict[Key, Standing] = {}
    unique = {}
    for table, kind in KINDS.items():
        held = {one: found[table][one] for one in ids[table] if one in found[table]}
        seen = in_sight(kind, actor, held)
        for one in ids[table]:
            standings[table, one] = Standing(held.get(one), one in seen)
        drafts = [item.values for item in items if item.table == table]
        unique[table] = UniqueValues(kind, actor, drafts, held.values())
    return Ground(actor, refs, standings, unique)


def lock_objects(ids: dict[str, list[UUID]], items: Iterable[Item]) -> dict[UUID, Any]:
    """Every object that the batch touches or hangs something on, locked."""
    wanted = {*ids["objects"], *values_of(items, "object_id")}
    for table in ("units", "customers", "visits"):
        if ids[table]:
            rows: models.QuerySet[Any] = KINDS[table].model._base_manager.filter(
                among("pk", ids[table])
            )
            wanted.update(rows.values_list("object_id", flat=True))
    return locked(Object, wanted)


def lock_hanging(kind: Kind, ids: list[UUID], objects: dict[UUID, Any]) -> dict[UUID, Any]:
    """The rows of a table that hangs on objects, locked. Raises Moved for one whose object is not."""
    found = locked(kind.model, ids)
    for record in found.values():
        if record.object_id not in objects:
            raise Moved
        record.object = objects[record.object_id]
    return found


def locked(model: type[models.Model], ids: Iterable[UUID]) -> dict[UUID, Any]:
    """Rows by id, the deleted included, locked in id order until the transaction ends."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    rows = model._base_manager.filter(among("pk", wanted)).order_by("pk")
    rows = rows.select_for_update(no_key=True)
    return {row.pk: row for row in rows}


def in_sight(kind: Kind, actor: User, held: dict[UUID, Any]) -> set[UUID]:
    """Which of the rows the actor sees or, of the deleted, saw when they were deleted."""
    if not held:
        return set()
    rows = kind.model.objects.in_sight_of(actor).filter(among("pk", held))
    seen = set(rows.values_list("pk", flat=True))
    lost = [record for one, record in held.items() if one not in seen and record.is_deleted]
    return seen | seen_when_deleted(actor, lost) if lost and actor.is_engineer else seen


def seen_when_deleted(actor: User, records: Sequence[Any]) -> set[UUID]:
    """Deleted records that an engineer saw only through a visit which has been deleted by now, too."""
    places = {record.pk: getattr(record, "object_id", record.pk) for record in records}
    visits = Visit._base_manager.filter(engineer_id=actor.pk, object_id__in=set(places.values()))
    ends: dict[UUID, Any] = {}
    for place, deleted_at in (
        visits.exclude(status=VisitStatus.CANCELLED)
        .filter(deleted_at__isnull=False)
        .values_list("object_id", "deleted_at")
    ):
        end: Any = deleted_at
        ends[place] = max(end, ends.get(place, end))
    return {
        record.pk
        for record in records
        if places[record.pk] in ends
        and record.deleted_at <= ends[places[record.pk]]
        and getattr(record, "engineer_id", actor.pk) == actor.pk
    }


def fetch_references(
    refs: References, items: Sequence[Item], found: dict[str, dict[UUID, Any]]
) -> None:
    """Everything that values refer to, and what is checked along with them, in one query for each kind."""
    actor = refs.actor
    cities: set[Any] = values_of(items, "city_id")
    districts: set[Any] = values_of(items, "district_id")
    units, customers = values_of(items, "unit_id"), values_of(items, "customer_id")
    if any(item.table == "objects" for item in items):
        # A new object lies in the caller's own place unless it says otherwise.
        cities |= {actor.city_id}
        districts |= {actor.district_id}
    if cities or districts:
        # An edit of the one is checked together with the other.
        cities |= {record.city_id for record in found["objects"].values()}
        districts |= {record.district_id for record in found["objects"].values()}
    if any(item.table == "visits" and "object_id" in item.values for item in items):
        units |= {record.unit_id for record in found["visits"].values()}
        customers |= {record.customer_id for record in found["visits"].values()}
    people = {*values_of(items, "responsible_user_id"), *values_of(items, "engineer_id")}
    # Locked, every one of them.
    refs.admit(Object, values_of(items, "object_id"), held=found["objects"])
    for model, ids in (
        (City, cities),
        (District, districts),
        (Unit, units),
        (Customer, customers),
        (User, people - {actor.pk}),
    ):
        refs.fetch(model, {one for one in ids if one is not None})


def values_of(items: Iterable[Item], name: str) -> set[UUID]:
    """The ids that the items' values give for a field."""
    return {item.values[name] for item in items if item.values.get(name) is not None}
