"""The text of a cell as a value, and a value as a cell.

Readers raise ValueError with a sentence for a person.
"""

import re
from collections.abc import Callable, Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from crm.importing.table import Row
from crm.masking import is_masked
from crm.phones import normalise_phone

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FRACTION = re.compile(r"(\d{5,15})[.,]0+")
_ROUNDED = re.compile(r"\d[.,]\d+e\+?\d+", re.IGNORECASE)
_SEVERAL = re.compile(r"[,;/\n]|\bи\b|\bили\b")


def phone(text: str) -> str:
    """A phone in E.164, as people and spreadsheets write it: «8 (999) 123-45-67», «79991234567.0».

    A mask comes back as it is: what it says shows only next to the number that it hides.
    """
    if is_masked(text):
        return text
    if whole := _FRACTION.fullmatch(text):
        text = whole[1]
    if _ROUNDED.fullmatch(text):
        raise ValueError(
            _("The spreadsheet has rounded the phone “%(text)s”: give its column the format Text.")
            % {"text": text}
        )
    try:
        return normalise_phone(text, settings.PHONE_REGION)
    except ValueError:
        if len([piece for piece in _SEVERAL.split(text) if looks_like_phone(piece)]) > 1:
            raise ValueError(_("The cell holds several phones; leave one.")) from None
        raise


def looks_like_phone(text: str) -> bool:
    """Whether a phone can be read from it that is no short or bare small number."""
    try:
        return len(normalise_phone(text.strip(), settings.PHONE_REGION)) >= 11  # noqa: PLR2004
    except ValueError:
        return bool(_FRACTION.fullmatch(text.strip())) and looks_like_phone(
            text.split(".", maxsplit=1)[0]
        )


def share(cells: Sequence[str], test: Callable[[str], object]) -> float:
    """How many of the cells pass the test, as a share."""
    return sum(bool(test(cell)) for cell in cells) / len(cells) if cells else 0.0


def wrong_width(row: Row, width: int) -> str | None:
    """What is wrong with a row that has other cells than the header, None when it fits."""
    if len(row.cells) == width:
        return None
    numbers = {"cells": len(row.cells), "width": width}
    return _("The row has %(cells)d cells, the header has %(width)d.") % numbers


def harmless(cell: str) -> str:
    """A spreadsheet must not run a cell as a formula; a plain number may keep its sign."""
    if not cell.startswith(_STARTS_FORMULA):
        return cell
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return f"'{cell}"
    return cell
