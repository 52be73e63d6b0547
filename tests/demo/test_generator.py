"""The demo town is believable, and the same whenever it is drawn."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from math import gcd
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from clients.models import Interest
from crm.phones import normalise_phone
from crm.territory.dictionary_data import CITIES, CityData, fixed_id
from objects.models import ObjectStatus, ObjectType
from tests.demo.towns import BASE_DAY, town
from visits.demo import generator
from visits.demo.draw import phone_number
from visits.demo.generator import FLATS_PER_FLOOR, street_and_house
from visits.demo.rows import House, VisitRow
from visits.demo.streets import COMMON_STREETS, DISTRICT_STREETS, HOUSES
from visits.transitions import VisitStatus

HOUSES_DRAWN = 2_000
ALL_DISTRICTS = [(city.name, district.name) for city in CITIES for district in city.districts]


@pytest.fixture(scope="module")
def houses() -> list[House]:
    return list(town().houses(HOUSES_DRAWN))


@pytest.fixture(scope="module")
def visits(houses: list[House]) -> list[VisitRow]:
    return [visit for house in houses for visit in house.visits]


# --- the same seed, the same data ------------------------------------------------------------------


def test_the_same_seed_draws_the_same_town(houses: list[House]) -> None:
    assert list(town().houses(HOUSES_DRAWN)) == houses


def test_a_house_is_the_same_however_many_are_drawn(houses: list[House]) -> None:
    assert list(town().houses(150, start=100)) == houses[100:150]


def test_another_seed_draws_another_town(houses: list[House]) -> None:
    others = list(town(seed=2).houses(HOUSES_DRAWN))
    assert not {house.object.id for house in houses} & {house.object.id for house in others}
    assert not phones_of(houses) & phones_of(others)


def test_another_day_moves_the_visits_and_nothing_else(houses: list[House]) -> None:
    moment_fields = {"scheduled_at", "started_at", "finished_at", "next_action_due_at"}
    later = list(town(base_day=BASE_DAY + timedelta(days=40)).houses(HOUSES_DRAWN))
    for house, moved in zip(houses, later, strict=True):
        assert moved[:3] == house[:3]
        for before, after in zip(house.visits, moved.visits, strict=True):
            for name, old, new in zip(VisitRow._fields, before, after, strict=True):
                if name in moment_fields and isinstance(old, datetime):
                    assert isinstance(new, datetime)
                    assert new - old == timedelta(days=40)
                else:
                    assert new == old


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        town(seed=-1)


# --- identifiers and phones ------------------------------------------------------------------------


def ids_of(house: House) -> list[str]:
    return [
        house.object.id,
        *(unit.id for unit in house.units),
        *(customer.id for customer in house.customers),
        *(visit.id for visit in house.visits),
    ]


def test_ids_are_uuids_of_version_7_that_grow_with_the_house(houses: list[House]) -> None:
    ids = [an_id for house in houses for an_id in ids_of(house)]
    assert len(set(ids)) == len(ids)
    assert all(UUID(an_id).version == 7 and UUID(an_id).hex == an_id for an_id in ids)
    objects = [house.object.id for house in houses]
    assert objects == sorted(objects)


def phones_of(houses: list[House]) -> set[str]:
    everyone = [
        phone
        for house in houses
        for phone in (house.object.contact_phone, *(c.phone for c in house.customers))
    ]
    phones = [phone for phone in everyone if phone]
    assert len(phones) == len(set(phones)), "a phone was given twice"
    return set(phones)


def test_phones_are_unique_and_in_the_stored_form(houses: list[House]) -> None:
    phones = phones_of(houses)
    assert len(phones) > HOUSES_DRAWN
    assert all(normalise_phone(phone) == phone for phone in phones)


def test_phones_stay_unique_up_to_a_million_houses_and_between_seeds() -> None:
    sampled = [
        phone_number(seed, house, place)
        for seed in (0, 1, 2, 24)
        for house in range(0, 1_000_000, 97)
        for place in range(4)
    ]
    assert len(set(sampled)) == len(sampled)
    assert all(re.fullmatch(r"\+79[47]\d{8}", phone) for phone in sampled)


def test_fixed_ids_differ_with_every_word() -> None:
    ids = {fixed_id("district", city, district) for city, district in ALL_DISTRICTS}
    assert len(ids) == len(ALL_DISTRICTS)
    assert fixed_id("ab", "c") != fixed_id("a", "bc")


# --- places ----------------------------------------------------------------------------------------


def test_coordinates_lie_in_the_district(houses: list[House]) -> None:
    boxes = {
        fixed_id("district", city.name, district.name).hex: district.box
        for city in CITIES
        for district in city.districts
    }
    for house in houses:
        box = boxes[house.object.district_id]
        assert box.south <= house.object.gps_lat <= box.north
        assert box.west <= house.object.gps_lng <= box.east


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_the_boxes_of_a_city_do_not_overlap(city: CityData) -> None:
    for one, other in combinations(city.districts, 2):
        apart = (
            one.box.north < other.box.south
            or other.box.north < one.box.south
            or one.box.east < other.box.west
            or other.box.east < one.box.west
        )
        assert apart, f"{one.name} and {other.name}"
    assert all(d.box.south < d.box.north and d.box.west < d.box.east for d in city.districts)
    ZoneInfo(city.time_zone)


def test_every_district_has_streets_of_its_own() -> None:
    assert set(DISTRICT_STREETS) == set(ALL_DISTRICTS)
    common = {street for round_ in COMMON_STREETS for street in round_}
    for city in CITIES:
        streets = [street for d in city.districts for street in DISTRICT_STREETS[city.name, d.name]]
        assert len(streets) == len(set(streets)), city.name
        assert not common & set(streets), city.name


def test_no_two_houses_of_a_city_share_an_address(houses: list[House]) -> None:
    addresses = Counter((house.object.city_id, house.object.address) for house in houses)
    assert max(addresses.values()) == 1


def test_addresses_do_not_repeat_in_a_million_houses() -> None:
    well_known = DISTRICT_STREETS["Москва", "Центральный"]
    rounds = len(COMMON_STREETS) * len(COMMON_STREETS[0]) * len(HOUSES)
    assert rounds >= 1_000_000
    first_two_rounds = 2 * len(COMMON_STREETS[0]) * len(HOUSES)
    assert (
        len({street_and_house(1, number, well_known) for number in range(first_two_rounds)})
        == first_two_rounds
    )
    for count in {len(COMMON_STREETS[0]), *map(len, DISTRICT_STREETS.values())}:
        assert gcd(generator._STRIDE, count * len(HOUSES)) == 1


def test_the_quickstart_finds_its_street_in_the_centre_of_moscow(houses: list[House]) -> None:
    assert houses[0].object.address == "ул. Ёлочная, д. 12, корп. 2"
    centre = fixed_id("district", "Москва", "Центральный").hex
    found = [h for h in houses if "Ёлочная" in h.object.address and h.object.district_id == centre]
    assert len(found) >= 4


def test_most_objects_are_apartment_blocks_and_every_kind_occurs(houses: list[House]) -> None:
    kinds = Counter(house.object.type for house in houses)
    assert set(kinds) == set(ObjectType.values)
    assert kinds["MKD"] > HOUSES_DRAWN / 2
    assert {house.object.status for house in houses} == set(ObjectStatus.values)


# --- flats and people ------------------------------------------------------------------------------


def test_flats_have_the_floor_and_entrance_that_their_number_says(houses: list[House]) -> None:
    for house in houses:
        numbers = [unit.unit_number for unit in house.units]
        assert len(numbers) == len(set(numbers))
        if house.object.type != "MKD":
            continue
        assert house.units
        # Some height of the house explains all of its flats.
        assert any(
            all(
                divmod((int(unit.unit_number) - 1) // FLATS_PER_FLOOR, floors)
                == (unit.entrance - 1, unit.floor - 1)
                for unit in house.units
            )
            for floors in range(1, 18)
        )


def test_there_are_two_customers_and_two_visits_to_an_object(
    houses: list[House], visits: list[VisitRow]
) -> None:
    customers = sum(len(house.customers) for house in houses)
    assert customers / HOUSES_DRAWN == pytest.approx(2, abs=0.1)
    assert len(visits) / HOUSES_DRAWN == pytest.approx(2, abs=0.1)


def test_customers_live_in_their_house_and_are_consistent(houses: list[House]) -> None:
    for house in houses:
        units = {unit.id for unit in house.units}
        for customer in house.customers:
            assert customer.object_id == house.object.id
            assert customer.unit_id in units if units else customer.unit_id is None
            assert len(customer.full_name.split()) == 3
            assert set(customer.interests) <= set(Interest.values)
            assert customer.interests
            if customer.provider_rating is None:
                assert customer.satisfied is None
            if customer.satisfied is not None:
                assert customer.satisfied == (customer.provider_rating in (4, 5))


# --- visits ----------------------------------------------------------------------------------------


def test_visits_refer_to_their_own_house(houses: list[House]) -> None:
    for house in houses:
        homes = {customer.id: customer.unit_id for customer in house.customers}
        for visit in house.visits:
            assert visit.object_id == house.object.id
            assert homes[visit.customer_id] == visit.unit_id


def test_the_past_is_done_or_cancelled_and_the_future_is_planned(visits: list[VisitRow]) -> None:
    # The westernmost of the cities: a day begins there last.
    midnight = datetime(
        BASE_DAY.year, BASE_DAY.month, BASE_DAY.day, tzinfo=ZoneInfo("Europe/Moscow")
    )
    assert {visit.status for visit in visits} == {
        VisitStatus.DONE,
        VisitStatus.CANCELLED,
        VisitStatus.PLANNED,
    }
    for visit in visits:
        assert visit.scheduled_at.tzinfo is UTC
        if visit.status == VisitStatus.PLANNED:
            assert visit.scheduled_at > midnight
            assert (visit.started_at, visit.finished_at, visit.outcome_text) == (None, None, None)
            continue
        assert visit.scheduled_at < midnight
        assert visit.outcome_text
        if visit.status == VisitStatus.DONE:
            assert visit.started_at is not None
            assert visit.finished_at is not None
            assert visit.started_at < visit.finished_at < midnight
        else:
            assert visit.started_at is visit.finished_at is None


def test_visits_are_in_working_hours_where_the_house_stands(houses: list[House]) -> None:
    zones = {fixed_id("city", city.name).hex: ZoneInfo(city.time_zone) for city in CITIES}
    for house in houses:
        for visit in house.visits:
            assert 9 <= visit.scheduled_at.astimezone(zones[house.object.city_id]).hour < 20


def test_some_call_backs_are_overdue_and_some_lie_ahead(houses: list[House]) -> None:
    today = datetime(BASE_DAY.year, BASE_DAY.month, BASE_DAY.day, tzinfo=UTC)
    due = [visit for house in houses for visit in house.visits if visit.next_action_due_at]
    overdue = [v for v in due if v.next_action_due_at and v.next_action_due_at < today]
    assert len(due) > len(overdue) > HOUSES_DRAWN / 50
    assert all(
        v.next_action_due_at > v.finished_at for v in due if v.next_action_due_at and v.finished_at
    )
    for house in houses:
        if house.object.status == ObjectStatus.CALLBACK:
            assert any(visit.next_action_due_at for visit in house.visits)


def test_a_day_in_summer_time_zones_does_not_matter() -> None:
    """Any base day works, also the last of February in a leap year."""
    assert next(town(base_day=date(2028, 2, 29)).houses(1)).visits
