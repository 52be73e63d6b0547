"""Draws a believable Russian town: pure, seeded, endless, without a database.

The same seed and places give the same houses, flats, people, phones and identifiers on every day; only the
visits' times move along with the base day. House number n is the same whether ten or a million are asked for.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import accumulate
from zoneinfo import ZoneInfo

from crm.territory.dictionary_data import Box
from visits.demo import names, people, planning, texts
from visits.demo.draw import Draw
from visits.demo.rows import CustomerRow, HexId, House, ObjectRow, UnitRow
from visits.demo.streets import COMMON_STREETS, DISTRICT_STREETS, HOUSES

# The addresses that the quickstart searches for, and that every demo therefore begins with.
FIRST_ADDRESSES = (
    "ул. Ёлочная, д. 12, корп. 2", "ул. Ёлочная, д. 3", "ул. Ёлочная, д. 17А", "ул. Ёлочная, д. 8, стр. 1",
)  # fmt: skip

# Weights out of a hundred: most of a provider's work is in apartment blocks.
_TYPES = ("MKD",) * 78 + ("CAFE",) * 6 + ("SCHOOL", "BUSINESS_CENTER") * 4 + (
    "HOTEL", "HOSPITAL", "SHOPPING_CENTER", "OTHER",
) * 2  # fmt: skip
_STATUSES = (
    ("NEW",) * 25 + ("INTEREST",) * 25 + ("CALLBACK",) * 20 + ("DONE",) * 18 + ("REJECTED",) * 12
)
# A prime beyond every count of addresses, hence coprime to it: neighbouring numbers live far apart.
_STRIDE = 7_368_787
FLATS_PER_FLOOR = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A district in which houses stand."""

    city: str
    district: str
    city_id: HexId
    district_id: HexId
    box: Box
    time_zone: str
    crew: planning.Crew
    # How likely a house stands here, relative to the other places.
    weight: int = 1
    # How many of the very first houses stand here, before chance decides.
    featured: int = 0


@dataclass(slots=True)
class Town:
    """All places, with what is looked up for each house."""

    places: Sequence[Place]
    base_day: date
    seed: int
    _bounds: list[int] = field(init=False)
    _featured: list[Place] = field(init=False)
    _draw: Draw = field(init=False)
    _calendars: dict[str, planning.Calendar] = field(init=False)

    def __post_init__(self) -> None:
        self._bounds = list(accumulate(place.weight for place in self.places))
        self._featured = [place for place in self.places for _ in range(place.featured)]
        self._draw = Draw(self.seed)
        self._calendars = {
            zone: planning.Calendar(self._draw, _midnight(self.base_day, zone))
            for zone in {place.time_zone for place in self.places}
        }

    def houses(self, count: int, *, start: int = 0) -> Iterator[House]:
        """The houses number start, start + 1, … below `count`."""
        for number in range(start, count):
            yield self.house(number)

    def house(self, number: int) -> House:
        """House number `number` (from 0) with its flats, customers and visits."""
        draw = self._draw
        draw.begin(number)
        place = self._place(number)
        house = self._object(number, place)
        customer_count = draw.pick((1, 2, 2, 3))
        units = _units(draw, house, customer_count)
        homes: list[HexId | None] = [unit.id for unit in units[:customer_count]]
        homes += [None] * (customer_count - len(homes))
        customers: list[CustomerRow] = [
            people.customer(draw, house, home, place.city, turn) for turn, home in enumerate(homes)
        ]
        diary = planning.Diary(draw, self._calendars[place.time_zone], house, customers, place.crew)
        return House(house, units, customers, diary.visits())

    def _place(self, number: int) -> Place:
        if number < len(self._featured):
            return self._featured[number]
        return self.places[
            bisect_right(self._bounds, int(self._draw.chance_value() * self._bounds[-1]))
        ]

    def _object(self, number: int, place: Place) -> ObjectRow:
        draw = self._draw
        kind = "MKD" if number < len(FIRST_ADDRESSES) else draw.pick(_TYPES)
        found_by = place.crew.pick(draw)
        contact_name, contact_phone = _contact(draw, kind, place.city)
        return ObjectRow(
            id=draw.new_id(),
            type=kind,
            address=self._address(number, place, kind),
            city_id=place.city_id,
            district_id=place.district_id,
            gps_lat=draw.degrees(place.box.south, place.box.north),
            gps_lng=draw.degrees(place.box.west, place.box.east),
            status=draw.pick(_STATUSES),
            tags=draw.some(texts.TAGS, 0, 3),
            responsible_user_id=draw.pick(place.crew.own) if draw.chance(0.35) else None,
            contact_name=contact_name,
            contact_phone=contact_phone,
            created_by_id=found_by,
            updated_by_id=found_by,
        )

    def _address(self, number: int, place: Place, kind: str) -> str:
        """No two houses of a city share an address: the number chooses street and house by a bijection."""
        if number < len(FIRST_ADDRESSES):
            address = FIRST_ADDRESSES[number]
        else:
            address = street_and_house(
                self.seed, number, DISTRICT_STREETS[place.city, place.district]
            )
        if kind == "MKD":
            return address
        return f"{address}, {self._draw.pick(names.PLACE_NAMES[kind])}"


def street_and_house(seed: int, number: int, well_known: Sequence[str]) -> str:
    """The address of house `number`: on the district's own streets first, then on those found everywhere."""
    own = len(well_known) * len(HOUSES)
    if number < own:
        streets, within = well_known, number
    else:
        ordinal, within = divmod(number, len(COMMON_STREETS[0]) * len(HOUSES))
        streets = COMMON_STREETS[ordinal % len(COMMON_STREETS)]
    addresses = len(streets) * len(HOUSES)
    house, street = divmod((within * _STRIDE + seed) % addresses, len(streets))
    return f"{streets[street]}, {HOUSES[house]}"


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _contact(draw: Draw, kind: str, city: str) -> tuple[str | None, str | None]:
    """Name and phone of the person to ask for in the house: always known in a company, rarely in a block."""
    if kind == "MKD":
        if draw.chance(0.6):
            return None, None
        name = f"{people.person(draw, city)[0]}, {draw.pick(texts.CONTACT_ROLES)}"
    else:
        name = people.person(draw, city)[0]
    return name, draw.phone(3)


def _units(draw: Draw, house: ObjectRow, at_least: int) -> list[UnitRow]:
    """Flats of a block (at least as many as customers) or offices of a business centre; none elsewhere."""
    if house.type == "MKD":
        floors, entrances = draw.pick((5, 5, 9, 9, 12, 14, 16, 17)), draw.between(1, 6)
        per_entrance = floors * FLATS_PER_FLOOR
        count = at_least + draw.between(0, 1)
        # Each flat from its own part of the house, so that no number is drawn twice.
        span = per_entrance * entrances // count
        return [
            _flat(draw, house.id, part * span + draw.between(1, span), per_entrance)
            for part in range(count)
        ]
    if house.type == "BUSINESS_CENTER":
        first_floor = draw.between(1, 6)
        return [
            UnitRow(
                draw.new_id(),
                house.id,
                f"{floor}{draw.between(1, 24):02}",
                floor,
                1,
                {"office": True},
            )
            for floor in range(first_floor, first_floor + at_least)
        ]
    return []


def _flat(draw: Draw, object_id: HexId, number: int, per_entrance: int) -> UnitRow:
    entrance, within = divmod(number - 1, per_entrance)
    return UnitRow(
        id=draw.new_id(),
        object_id=object_id,
        unit_number=str(number),
        floor=within // FLATS_PER_FLOOR + 1,
        entrance=entrance + 1,
        attributes={"rooms": draw.between(1, 4)} if draw.chance(0.6) else {},
    )
