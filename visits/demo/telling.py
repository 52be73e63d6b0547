"""What a batch of new houses has to report: every row, as the triggers made it."""

from collections.abc import Iterator
from uuid import UUID

from clients.models import Customer
from crm.changes import Action, Change, snapshot
from crm.editing import entity_of
from crm.records import Record
from objects.models import Object, Unit
from visits.models import Visit

KINDS: tuple[type[Unit | Customer | Visit], ...] = (Unit, Customer, Visit)


def creations(first: UUID, end: UUID, *, but: set[str]) -> Iterator[Change]:
    """The creation of each object whose id lies from `first` below `end`, and of all that hangs on it.

    but: ids (hexadecimal) of objects that were there before, with theirs.
    """
    cities: dict[UUID, UUID] = {}
    for house in Object._base_manager.filter(pk__gte=first, pk__lt=end):
        if house.pk.hex not in but:
            cities[house.pk] = house.city_id
            yield creation(house, house.city_id)
    for kind in KINDS:
        for row in kind._base_manager.filter(object_id__gte=first, object_id__lt=end):
            if row.object_id in cities:
                yield creation(row, cities[row.object_id])


def creation(row: Record, city_id: UUID) -> Change:
    """One row's report."""
    return Change(
        action=Action.CREATE,
        entity_type=entity_of(row),
        entity_id=row.pk,
        after=snapshot(row),
        city_id=city_id,
        version=row.version,
    )
