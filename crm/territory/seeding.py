"""Brings the cities and districts that every installation starts with into the dictionaries."""

from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from crm.territory.dictionary_data import CITIES, CityData, fixed_id
from crm.territory.models import City, District
from crm.territory.services import create_place


class Seeded(NamedTuple):
    """How many entries were new; the others were there and stay as they are."""

    cities: int
    districts: int


def seed_dictionaries() -> Seeded:
    """Create the cities and districts that are missing, in one transaction. May be repeated at any time.

    An entry is recognised by its fixed id or by its name: renamed or made by hand, it is not made twice.
    """
    cities = districts = 0
    with transaction.atomic():
        for data in CITIES:
            city, is_new = _city(data)
            cities += is_new
            districts += _missing_districts(city, data)
    return Seeded(cities, districts)


def _city(data: CityData) -> tuple[City, bool]:
    fixed = fixed_id("city", data.name)
    known = City.objects.filter(Q(pk=fixed) | Q(name=data.name)).order_by("created_at").first()
    if known is not None:
        return known, False
    values = {"id": fixed, "name": data.name, "time_zone": data.time_zone}
    return create_place(City, actor=None, values=values), True


def _missing_districts(city: City, data: CityData) -> int:
    known_ids = set(District.objects.filter(city=city).values_list("pk", flat=True))
    known_names = set(District.objects.filter(city=city).values_list("name", flat=True))
    missing = [
        {"id": fixed, "name": district.name, "city_id": city.pk}
        for district in data.districts
        if district.name not in known_names
        and (fixed := fixed_id("district", data.name, district.name)) not in known_ids
    ]
    for values in missing:
        create_place(District, actor=None, values=values)
    return len(missing)
