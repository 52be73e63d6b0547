"""Prepares the ground for a demo town: dictionaries, staff, and the places in which houses stand."""

from datetime import date

from crm.territory.dictionary_data import CITIES, CityData, fixed_id
from crm.territory.models import City, District
from crm.territory.seeding import seed_dictionaries
from crm.users.models import User
from crm.users.roles import Role
from visits.demo.accounts import create_missing_accounts
from visits.demo.generator import Place, Town
from visits.demo.planning import Crew

# Where most houses stand: around the people who log in.
_WEIGHTS = {("Москва", "Центральный"): 10, ("Москва", "Северный"): 7, ("Казань", "Вахитовский"): 5}
_CITY_WEIGHTS = {"Москва": 2, "Казань": 2}
# Each engineer with a login has houses even in the smallest demo; engineer1 at least ten.
_FEATURED = {("Москва", "Центральный"): 12, ("Москва", "Северный"): 6, ("Казань", "Вахитовский"): 6}


def prepare_town(*, seed: int, base_day: date) -> tuple[Town, list[User]]:
    """Make sure that cities, districts and staff exist; return the town and the accounts made now."""
    seed_dictionaries()
    cities = {data.name: _known_city(data) for data in CITIES}
    districts = {
        (data.name, district.name): _known_district(cities[data.name], data, district.name)
        for data in CITIES
        for district in data.districts
    }
    created = create_missing_accounts(districts, cities)
    return Town(_places(cities, districts), base_day, seed), created


def _known_city(data: CityData) -> City:
    """The city of that dictionary entry, also when somebody renamed it."""
    return City.objects.filter(name=data.name).first() or City.objects.get(
        pk=fixed_id("city", data.name)
    )


def _known_district(city: City, data: CityData, name: str) -> District:
    found = District.objects.filter(city=city, name=name).first()
    return found or District.objects.get(pk=fixed_id("district", data.name, name))


def _places(cities: dict[str, City], districts: dict[tuple[str, str], District]) -> list[Place]:
    places = []
    for data in CITIES:
        city = cities[data.name]
        city_crew = _engineers(city=city)
        for district_data in data.districts:
            key = data.name, district_data.name
            district = districts[key]
            places.append(
                Place(
                    city=data.name,
                    district=district_data.name,
                    city_id=city.pk.hex,
                    district_id=district.pk.hex,
                    box=district_data.box,
                    time_zone=data.time_zone,
                    crew=Crew(own=_engineers(district=district) or city_crew, city=city_crew),
                    weight=_WEIGHTS.get(key, _CITY_WEIGHTS.get(data.name, 1)),
                    featured=_FEATURED.get(key, 0),
                )
            )
    return places


def _engineers(**territory: City | District) -> list[str]:
    """Active engineers of the demo's staff there, in a stable order: nobody else's work is made up."""
    staff = User.objects.active().filter(
        role=Role.ENGINEER, email__endswith="@example.com", **territory
    )
    return [pk.hex for pk in staff.order_by("email").values_list("pk", flat=True)]
