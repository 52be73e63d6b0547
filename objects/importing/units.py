"""Flats from a count: 1 to n, spread over entrances and floors."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from crm.ids import uuid7
from objects.models import Unit

# Flats of some twenty blocks at a time: a block has a few hundred, at most 2000.
_OBJECTS_AT_ONCE = 20
_UNITS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class UnitCount:
    """An object that shall have the units 1 to `count`."""

    object_id: UUID
    city_id: UUID
    count: int
    entrances: int | None
    floors: int | None


class NewUnit(NamedTuple):
    """A row of the units' table by column: a flat is one of millions, an instance for each too slow."""

    id: UUID
    object_id: UUID
    unit_number: str
    floor: int | None
    entrance: int | None
    attributes: dict[str, object]


def units_of(wanted: UnitCount) -> Iterator[NewUnit]:
    """The units, numbered as Russian blocks are: entrance by entrance, from the ground up.

    Entrances and floors stay empty when the count is unknown or larger than the number of flats.
    """
    count, floors = wanted.count, wanted.floors
    entrances = wanted.entrances if wanted.entrances and wanted.entrances <= count else None
    for at in range(count):
        entrance = at * (entrances or 1) // count
        first = -(-entrance * count // (entrances or 1))
        beyond = -(-(entrance + 1) * count // (entrances or 1))
        yield NewUnit(
            id=uuid7(),
            object_id=wanted.object_id,
            unit_number=str(at + 1),
            entrance=entrance + 1 if entrances else None,
            floor=(at - first) * floors // (beyond - first) + 1 if floors else None,
            attributes={},
        )


def missing_units(wanted: Iterable[UnitCount]) -> Iterator[list[NewUnit]]:
    """Units that the objects lack, in lists of bounded length. Those that exist stay as they are."""
    pending = iter(wanted)
    while part := list(islice(pending, _OBJECTS_AT_ONCE)):
        existing = set(
            Unit.objects.live()
            .filter(object_id__in=[each.object_id for each in part])
            .values_list("object_id", "unit_number")
        )
        lacking = (
            unit
            for each in part
            for unit in units_of(each)
            if (each.object_id, unit.unit_number) not in existing
        )
        while units := list(islice(lacking, _UNITS_AT_ONCE)):
            yield units
