"""Which column of a file holds which field of a customer."""

import re
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from crm.importing.cells import looks_like_phone, share
from crm.importing.columns import FieldSpec
from crm.importing.guessing import FieldSet
from objects.importing.columns import ADDRESS, PLACE


class Field(StrEnum):
    """What a column may hold."""

    CITY_ID = "city_id"
    CITY = "city"
    ADDRESS = "address"
    UNIT = "unit"
    FULL_NAME = "full_name"
    PHONE = "phone"
    INTERESTS = "interests"
    CURRENT_PROVIDER = "current_provider"
    PROVIDER_RATING = "provider_rating"
    SATISFIED = "satisfied"
    PREFERRED_CALL_TIME = "preferred_call_time"
    DESIRED_PRICE = "desired_price"
    GDPR_CONSENT = "gdpr_consent"
    PORTRAIT_TEXT = "portrait_text"
    NOTES = "notes"


_FLAT = re.compile(r"(кв|оф|№|#)?\.? ?\d{1,4}[а-яa-z]?", re.IGNORECASE)
_NAME = re.compile(r"[А-ЯЁA-Z][а-яёa-z]+(-[А-ЯЁA-Z][а-яёa-z]+)?")
_MOST_NAMES = 4


def _looks_like_name(text: str) -> bool:
    """Two to four words, each with a capital: «Иванова Мария Петровна», «Иванов И. П.»."""
    found = text.replace(".", ". ").split()
    full = [word for word in found if _NAME.fullmatch(word)]
    initials = [word for word in found if re.fullmatch(r"[А-ЯЁA-Z]\.?", word)]
    whole = len(full) + len(initials) == len(found)
    return bool(full) and whole and 1 < len(found) <= _MOST_NAMES


SPECS = (
    *PLACE,
    ADDRESS,
    FieldSpec(
        Field.UNIT,
        _("unit"),
        usual=("квартира", "кв", "кв.", "№ кв", "номер квартиры", "flat", "apartment"),
        heading=r"\bкв\b|квартир|^помещение|^офис|^(flat|apartment|unit|apt)\b",
        contents=lambda cells: share(cells, _FLAT.fullmatch),
    ),
    FieldSpec(
        Field.FULL_NAME,
        _("full name"),
        usual=("фио", "имя", "клиент", "name"),
        heading=(
            r"^фио\b|\bфио$|^ф и о|^имя\b|^клиент|^абонент$|^житель|^собственник|^(full )?name$|^customer"
        ),
        contents=lambda cells: share(cells, _looks_like_name),
    ),
    FieldSpec(
        Field.PHONE,
        _("phone"),
        usual=("телефон",),
        heading=r"телефон|^тел\b|^моб|phone\b|^mobile",
        contents=lambda cells: share(cells, looks_like_phone),
    ),
    FieldSpec(
        Field.INTERESTS,
        _("interests"),
        usual=("интересы",),
        heading=r"^интерес|^услуг|^interests?$|^services?$",
    ),
    FieldSpec(
        Field.CURRENT_PROVIDER,
        _("current provider"),
        usual=("провайдер",),
        heading=r"^(текущий )?(провайдер|оператор)\b|^(current )?provider$",
    ),
    FieldSpec(
        Field.PROVIDER_RATING,
        _("provider rating"),
        usual=("оценка",),
        heading=r"^оценка|^рейтинг|\brating$",
    ),
    FieldSpec(
        Field.SATISFIED,
        _("satisfied"),
        usual=("доволен",),
        heading=r"^довол|^удовлетвор|^satisf",
    ),
    FieldSpec(
        Field.PREFERRED_CALL_TIME,
        _("preferred call time"),
        usual=("время звонка",),
        heading=r"(врем|когда).*(звон|связ)|^удобное время|call time$",
    ),
    FieldSpec(
        Field.DESIRED_PRICE,
        _("desired price"),
        usual=("цена",),
        heading=r"^(желаемая )?цена\b|^бюджет|^(desired )?price$|^budget$",
    ),
    FieldSpec(
        Field.GDPR_CONSENT,
        _("consent to data processing"),
        usual=("согласие",),
        heading=r"^согласие|\bпдн$|^(gdpr )?consent$",
    ),
    FieldSpec(
        Field.PORTRAIT_TEXT,
        _("portrait"),
        usual=("портрет",),
        heading=r"^портрет|^portrait$",
        long=True,
    ),
    FieldSpec(
        Field.NOTES,
        _("notes"),
        usual=("заметки", "примечание", "комментарий"),
        heading=r"^замет|^примеч|^коммент|^notes?$|^comments?$|^remarks?$",
        long=True,
    ),
)
# Without a name or a phone nobody could tell, the next time, that it is the same person.
FIELDS = FieldSet(specs=SPECS, required=((Field.ADDRESS,), (Field.FULL_NAME, Field.PHONE)))
