"""The text of a cell as a value. Each function raises ValueError with a sentence for a person."""

import math
import re

from django.utils.translation import gettext as _

from crm import geo

# Above these a number is a slip of the pen (a year in the wrong column), not a building.
MAX_UNITS, MAX_ENTRANCES, MAX_FLOORS = 2000, 100, 150
_TAG_SEPARATORS = re.compile(r"[;,|]")
_COUNT = re.compile(r"(\d{1,3}(?: \d{3})+|\d+)(?:[.,]0+)?")
_LONGEST_COUNT = 12


def coordinate(text: str, *, limit: int) -> float:
    """Degrees between −limit and limit; a decimal comma is as good as a point."""
    try:
        degrees = float(text.replace(",", "."))
    except ValueError:
        degrees = math.nan
    if math.isnan(degrees):
        raise ValueError(_("“%(text)s” is not a coordinate in degrees.") % {"text": text})
    if not -limit <= degrees <= limit:
        raise ValueError(
            _("The coordinate %(text)s lies outside −%(limit)d…%(limit)d degrees.")
            % {"text": text, "limit": limit}
        )
    return geo.coordinate(degrees)


def count(text: str, *, most: int, what: str) -> int:
    """A whole number from 0 to `most`, «1 024» included. `what` names it in the sentence."""
    number = _COUNT.fullmatch(text) if len(text) <= _LONGEST_COUNT else None
    if number is None:
        raise ValueError(_("%(what)s: “%(text)s” is not a count.") % {"what": what, "text": text})
    value = int(number[1].replace(" ", ""))
    if value > most:
        raise ValueError(
            _("%(what)s: %(value)d is not believable (more than %(most)d).")
            % {"what": what, "value": value, "most": most}
        )
    return value


def tags(text: str) -> list[str]:
    """Tags between commas, semicolons or bars, each once, in their order."""
    found = (tag.strip() for tag in _TAG_SEPARATORS.split(text.strip("[]")))
    return list(dict.fromkeys(tag.strip("\"'") for tag in found if tag))
