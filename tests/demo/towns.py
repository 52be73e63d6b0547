"""Towns for tests of the generator: the real districts, with made-up ids and engineers."""

from datetime import date

from crm.territory.dictionary_data import CITIES, fixed_id
from visits.demo.generator import Place, Town
from visits.demo.planning import Crew

BASE_DAY = date(2026, 3, 10)


def town(*, seed: int = 1, base_day: date = BASE_DAY) -> Town:
    """A town of which the first dozen houses stand in the centre of Moscow."""
    places = []
    for city in CITIES:
        engineers = [
            fixed_id("engineer", city.name, district.name).hex for district in city.districts
        ]
        for district, engineer in zip(city.districts, engineers, strict=True):
            places.append(
                Place(
                    city=city.name,
                    district=district.name,
                    city_id=fixed_id("city", city.name).hex,
                    district_id=fixed_id("district", city.name, district.name).hex,
                    box=district.box,
                    time_zone=city.time_zone,
                    crew=Crew(own=[engineer], city=engineers),
                    featured=12 if (city.name, district.name) == ("Москва", "Центральный") else 0,
                )
            )
    return Town(places, base_day, seed)
