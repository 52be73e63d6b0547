"""Residents and contact persons: who they are, what they have, what they want."""

from visits.demo import names, texts
from visits.demo.draw import Draw
from visits.demo.rows import CustomerRow, HexId, ObjectRow

INTERESTS = ("INTERNET", "TV", "CCTV", "BABY_MONITOR", "OTHER")
# In Kazan every second family is Tatar; elsewhere the lists of names are the common Russian ones.
TATAR_CITY, TATAR_SHARE = "Казань", 0.5


def person(draw: Draw, city: str) -> tuple[str, bool]:
    """A full name as in documents (surname, first name, patronymic), and whether it is a woman's."""
    woman = draw.chance(0.54)
    form = 1 if woman else 0
    if city == TATAR_CITY and draw.chance(TATAR_SHARE):
        first = draw.pick(names.TATAR_WOMEN if woman else names.TATAR_MEN)
        surnames, patronymics = names.TATAR_SURNAMES, names.TATAR_PATRONYMICS
    else:
        first = draw.pick(names.WOMEN if woman else names.MEN)
        surnames, patronymics = names.SURNAMES, names.PATRONYMICS
    return f"{draw.pick(surnames)[form]} {first} {draw.pick(patronymics)[form]}", woman


def customer(
    draw: Draw, house: ObjectRow, unit_id: HexId | None, city: str, place: int
) -> CustomerRow:
    """A resident of an apartment block, or who decides in any other place; `place` chooses the phone."""
    full_name, woman = person(draw, city)
    if house.type != "MKD":
        portrait = draw.pick(texts.PORTRAITS_MANAGER)
    else:
        portrait = draw.pick(texts.PORTRAITS_WOMAN if woman else texts.PORTRAITS_MAN)
    provider = draw.pick(names.CITY_PROVIDERS[city]) if draw.chance(0.85) else None
    rating = draw.between(1, 5) if provider and draw.chance(0.8) else None
    return CustomerRow(
        id=draw.new_id(),
        object_id=house.id,
        unit_id=unit_id,
        full_name=full_name,
        phone=draw.phone(place) if draw.chance(0.85) else None,
        portrait_text=portrait,
        current_provider=provider,
        provider_rating=rating,
        satisfied=None if rating is None or rating == 3 else rating > 3,  # noqa: PLR2004 - the middle of 1…5
        interests=draw.some(INTERESTS, 1, 3),
        preferred_call_time=f"{draw.between(9, 20):02}:{draw.pick(('00', '30'))}"
        if draw.chance(0.6)
        else None,
        desired_price=draw.between(6, 30) * 50 if draw.chance(0.55) else None,
        notes=draw.pick(texts.NOTES) if draw.chance(0.4) else None,
        gdpr_consent=draw.chance(0.7),
    )
