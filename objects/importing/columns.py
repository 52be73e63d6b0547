"""Which column of a file holds which field."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from objects.importing.table import BrokenFileError


class Field(StrEnum):
    """What a column may hold."""

    ADDRESS = "address"
    TYPE = "type"
    STATUS = "status"
    CITY_ID = "city_id"
    CITY = "city"
    DISTRICT_ID = "district_id"
    DISTRICT = "district"
    CONTACT_NAME = "contact_name"
    CONTACT_PHONE = "contact_phone"
    TAGS = "tags"
    GPS_LAT = "gps_lat"
    GPS_LNG = "gps_lng"
    UNITS = "units"
    ENTRANCES = "entrances"
    FLOORS = "floors"


# Names as the web client wrote them, in both languages. Counts of flats have no usual name: they
# are always named by whoever starts the import.
_NAMES: Mapping[str, Field] = {
    **{field.value: field for field in Field},
    "адрес": Field.ADDRESS,
    "тип": Field.TYPE,
    "статус": Field.STATUS,
    "город_id": Field.CITY_ID,
    "город": Field.CITY,
    "район_id": Field.DISTRICT_ID,
    "район": Field.DISTRICT,
    "контакт": Field.CONTACT_NAME,
    "телефон": Field.CONTACT_PHONE,
    "теги": Field.TAGS,
    "широта": Field.GPS_LAT,
    "долгота": Field.GPS_LNG,
}
_ONLY_MAPPED = frozenset({Field.UNITS, Field.ENTRANCES, Field.FLOORS})
# What registers write where they know nothing.
_NOTHING = frozenset(
    {"", "-", "–", "—", "незаполнено", "не заполнено", "нет данных", "н/д", "null", "none", "n/a"}
)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row of `width` cells."""

    positions: Mapping[Field, int]
    width: int

    def values(self, cells: Sequence[str]) -> dict[Field, str]:
        """The row's fields that say something, trimmed."""
        found: dict[Field, str] = {}
        for field, at in self.positions.items():
            # A NUL cannot be stored; an apostrophe before a sign is how spreadsheets write text.
            text = _SPACES.sub(" ", cells[at].replace("\x00", "")).strip()
            if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@"):
                text = text[1:]
            if text.casefold() not in _NOTHING:
                found[field] = text
        return found


def parse_mapping(text: str) -> dict[Field, str]:
    """`address=ADDRESS,gps_lat=LAT` as field → column name. Raises BrokenFileError."""
    mapping: dict[Field, str] = {}
    for pair in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, column = (piece.strip() for piece in pair.partition("="))
        if not equals or not column:
            raise BrokenFileError(_("“%(pair)s” is not of the form field=COLUMN.") % {"pair": pair})
        if name not in {field.value for field in Field}:
            raise BrokenFileError(
                _("There is no field “%(name)s”. Fields: %(known)s.")
                % {"name": name, "known": ", ".join(field.value for field in Field)}
            )
        if Field(name) in mapping:
            raise BrokenFileError(_("The field “%(name)s” is mapped twice.") % {"name": name})
        mapping[Field(name)] = column
    return mapping


def find_columns(header: Sequence[str], mapping: Mapping[Field, str]) -> Columns:
    """Find the fields in a header, by `mapping` (field → column name) first, then by usual name.

    Raises BrokenFileError for a mapped column that is not there, a field that two columns claim, and
    when no column holds the address.
    """
    names = [_plain(name) for name in header]
    positions: dict[Field, int] = {}
    for field, column in mapping.items():
        positions[field] = _only(names, _plain(column), column, header)
    taken = set(positions.values())
    for at, name in enumerate(names):
        field_named = _NAMES.get(name)
        if (
            field_named is None
            or at in taken
            or field_named in mapping
            or field_named in _ONLY_MAPPED
        ):
            continue
        if field_named in positions:
            raise BrokenFileError(
                _("Two columns hold the same field: “%(one)s” and “%(two)s”.")
                % {"one": header[positions[field_named]], "two": header[at]}
            )
        positions[field_named] = at
    if Field.ADDRESS not in positions:
        raise BrokenFileError(
            _("No column holds the address. Columns of the file: %(columns)s.")
            % {"columns": _listed(header)}
        )
    return Columns(positions=positions, width=len(header))


def _only(names: Sequence[str], wanted: str, column: str, header: Iterable[str]) -> int:
    found = [at for at, name in enumerate(names) if name == wanted]
    if not found:
        raise BrokenFileError(
            _("The file has no column “%(column)s”. Columns of the file: %(columns)s.")
            % {"column": column, "columns": _listed(header)}
        )
    if len(found) > 1:
        raise BrokenFileError(_("The file has several columns “%(column)s”.") % {"column": column})
    return found[0]


def _plain(name: str) -> str:
    return _SPACES.sub("_", name.strip().casefold().replace("ё", "е"))


def _listed(header: Iterable[str], longest: int = 300) -> str:
    text = ", ".join(name.strip() for name in header)
    return text if len(text) <= longest else f"{text[:longest]}…"
