"""What people write into a customer's columns.

Each function raises ValueError with a sentence for a person.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

from django.utils.translation import gettext as _
from django.utils.translation import override

from clients.models import Customer, Interest

_YES = frozenset({"да", "yes", "y", "true", "1", "+", "истина", "есть", "д", "on", "✓", "✔", "v"})
_NO = frozenset({"нет", "no", "n", "false", "0", "ложь", "н", "off", "✗", "✘"})
_SAID: dict[Interest, Sequence[str]] = {
    Interest.INTERNET: ("инет", "интернет", "internet", "wi-fi", "wifi", "вайфай", "шпд"),
    Interest.TV: ("тв", "tv", "телевидение", "телевизор", "тв каналы", "цифровое тв", "television"),
    Interest.CCTV: (
        "видеонаблюдение", "камеры", "камера", "видеокамера", "видеокамеры", "cctv", "cameras",
        "video surveillance", "surveillance",
    ),
    Interest.BABY_MONITOR: (
        "видеоняня", "радионяня", "няня", "baby monitor", "baby-monitor", "babymonitor",
    ),
    Interest.OTHER: ("другое", "прочее", "иное", "other"),
}  # fmt: skip
_BETWEEN = re.compile(r"[,;/|+\n]")
_RATING = re.compile(r"([0-9]{1,3})(?:[.,]0+)?(?: ?(?:/|из|of|out of) ?5)?")
_WORST, _BEST = 1, 5
_TIME = re.compile(
    r"([01]?[0-9]|2[0-3])(?:[:.\-ч ]+([0-5][0-9]))?(?::[0-5][0-9](?:\.0+)?)?(?: ?ч\.?)?"
)
_PRICE = re.compile(
    r"([0-9]{1,3}(?:[  ][0-9]{3})+|[0-9]+)(?:[.,]([0-9]+))?"
    r" ?(?:₽|р\.?|руб\.?|рублей|rub|rur)?(?: ?(?:/|в) ?мес\.?)?",
    re.IGNORECASE,
)
_LONGEST = 60


def yes_or_no(text: str, *, what: str) -> bool:
    """«да», «нет», «yes», 1, 0, «+»."""
    word = text.casefold().strip(" .!")
    if word not in _YES | _NO:
        raise ValueError(
            _("%(what)s: “%(text)s” is neither yes nor no.")
            % {"what": what, "text": text[:_LONGEST]}
        )
    return word in _YES


def rating(text: str) -> int:
    """1 to 5, also as «4 из 5» or «4.0»."""
    found = _RATING.fullmatch(text.casefold())
    value = int(found[1]) if found else 0
    if not _WORST <= value <= _BEST:
        raise ValueError(
            _("The rating “%(text)s” is no number from 1 to 5.") % {"text": text[:_LONGEST]}
        )
    return value


def call_time(text: str) -> str:
    """HH:MM, also from «18.30», «18 ч», «9:05» and a spreadsheet's 18:30:00."""
    found = _TIME.fullmatch(text.casefold())
    if found is None:
        raise ValueError(
            _("“%(text)s” is no time of day, for example 18:30.") % {"text": text[:_LONGEST]}
        )
    return f"{int(found[1]):02d}:{found[2] or '00'}"


def price(text: str) -> Decimal:
    """A sum from 0, with at most two decimals: «500», «1 200,50 ₽»."""
    found = _PRICE.fullmatch(text)
    field = Customer._meta.get_field("desired_price")
    places, digits = field.decimal_places or 0, field.max_digits or 0
    if found is not None:
        whole = re.sub(r"\D", "", found[1]).lstrip("0") or "0"
        fraction = (found[2] or "").rstrip("0")
        if len(whole) <= digits - places and len(fraction) <= places:
            return Decimal(f"{whole}.{fraction or '0'}")
    raise ValueError(_("“%(text)s” is not a price.") % {"text": text[:_LONGEST]})


def interests(text: str) -> list[str]:
    """The interests that a cell names, by code or by word in Russian or English, in their usual order."""
    found: set[str] = set()
    known = _interests_by_word()
    for piece in filter(None, (piece.strip(" .\"'[]") for piece in _BETWEEN.split(text))):
        code = known.get(piece.casefold().replace("ё", "е").replace("_", " "))
        if code is None:
            raise ValueError(
                _("There is no interest “%(text)s”. Interests: %(known)s.")
                % {
                    "text": piece[:_LONGEST],
                    "known": ", ".join(str(each.label) for each in Interest),
                }
            )
        found.add(code)
    return [value for value in Interest.values if value in found]


@cache
def _interests_by_word() -> dict[str, str]:
    words = {word: each.value for each, said in _SAID.items() for word in said}
    words |= {each.value.casefold().replace("_", " "): each.value for each in Interest}
    for language in ("ru", "en"):
        with override(language):
            words |= {str(each.label).casefold(): each.value for each in Interest}
    return words


_IN_ADDRESS = re.compile(
    r"[,;]?\s*\b(?:(?:кв|квартира|кв-ра|apt|flat|apartment)\.?\s*№?\s*([0-9][\w/-]{0,15})"
    r"|((?:офис|оф|помещение|пом)\b\.?\s*№?\s*[0-9][\w/-]{0,15}))\s*$",
    re.IGNORECASE,
)
_FLAT = re.compile(
    r"(?:(?:кв|квартира|кв-ра|apt|flat|apartment)\.?\s*)?№?\s*([0-9].*)", re.IGNORECASE
)
_FLOAT = re.compile(r"([0-9]+)[.,]0+")


def unit_number(text: str) -> str:
    """A flat's number as it is kept: «кв. 12», «№12» and «12.0» are 12; «офис 3» stays."""
    number = found[1] if (found := _FLAT.fullmatch(text)) else text
    return found[1] if (found := _FLOAT.fullmatch(number)) else number.strip()


def without_unit(address: str) -> tuple[str, str | None]:
    """«ул. Мира, д. 5, кв. 12» → the building's address and 12; None where it names no flat."""
    found = _IN_ADDRESS.search(address)
    if found is None or not found.start():
        return address, None
    return address[: found.start()].rstrip(" ,;"), found[1] or found[2]
