"""Which column of a file holds which field of an object."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.importing import columns
from crm.importing.cells import looks_like_phone, share
from crm.importing.columns import Columns, FieldSpec, listed
from crm.importing.guessing import FieldSet
from crm.importing.table import BrokenFileError
from objects.importing.address_words import HOUSE, SETTLEMENT, STREET


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


_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+")
_STREET_WORDS = {"ул", "улица", "г", "город", *STREET, *SETTLEMENT, *HOUSE}
_LEAST_ADDRESS = 8
_DEGREES = re.compile(r"-?\d{1,3}[.,]\d{3,}")


def looks_like_address(text: str) -> bool:
    """Whether a cell is an address: a word of streets and a number, or a name, a comma and a number."""
    found = _WORD.findall(text.casefold().replace("ё", "е"))
    has_number = any(word.isdigit() for word in found)
    letters = [word for word in found if not word.isdigit()]
    if len(text) < _LEAST_ADDRESS or not has_number or not letters:
        return False
    return bool(_STREET_WORDS.intersection(letters)) or bool(re.search(r"\w\w, ?\w*\d", text))


def _degrees(least: float, most: float) -> Callable[[Sequence[str]], float]:
    def fits(cell: str) -> bool:
        return bool(_DEGREES.fullmatch(cell)) and least <= float(cell.replace(",", ".")) <= most

    return lambda cells: share(cells, fits)


ADDRESS = FieldSpec(
    Field.ADDRESS,
    gettext_lazy("address"),
    usual=("адрес",),
    heading=r"^адрес|\bадрес$|^address|\baddress$|местонахожд|местополож|^дом$",
    contents=lambda cells: share(cells, looks_like_address),
)
PLACE = (
    FieldSpec(Field.CITY_ID, gettext_lazy("city (id)"), usual=("город_id",)),
    FieldSpec(
        Field.CITY,
        gettext_lazy("city"),
        usual=("город",),
        heading=r"^город\b|^г$|населенный пункт|^city\b|^town$",
    ),
)
SPECS = (
    ADDRESS,
    FieldSpec(
        Field.TYPE, gettext_lazy("type"), usual=("тип",), heading=r"^(тип|вид|type)\b|назначение"
    ),
    FieldSpec(
        Field.STATUS, gettext_lazy("status"), usual=("статус",), heading=r"^(статус|status)\b"
    ),
    *PLACE,
    FieldSpec(Field.DISTRICT_ID, gettext_lazy("district (id)"), usual=("район_id",)),
    FieldSpec(
        Field.DISTRICT,
        gettext_lazy("district"),
        usual=("район",),
        heading=r"^район\b|^р н\b|^округ\b|^district\b",
    ),
    FieldSpec(
        Field.CONTACT_NAME,
        gettext_lazy("contact name"),
        usual=("контакт",),
        heading=r"^контактное лицо|^имя контакта|^контакт$|председатель|^contact( name| person)?$",
    ),
    FieldSpec(
        Field.CONTACT_PHONE,
        gettext_lazy("contact phone"),
        usual=("телефон",),
        heading=r"телефон|^тел\b|^моб|phone\b",
        contents=lambda cells: share(cells, looks_like_phone),
    ),
    FieldSpec(Field.TAGS, gettext_lazy("tags"), usual=("теги",), heading=r"^(теги|метки|tags)\b"),
    FieldSpec(
        Field.GPS_LAT,
        gettext_lazy("latitude"),
        usual=("широта",),
        heading=r"широт|^lat(itude)?$|\blat$",
        # Russia; elsewhere the headings must tell.
        contents=_degrees(41, 82),
    ),
    FieldSpec(
        Field.GPS_LNG,
        gettext_lazy("longitude"),
        usual=("долгота",),
        heading=r"долгот|^(lng|lon|long|longitude)$|\b(lng|lon)$",
        contents=_degrees(19, 180),
    ),
    FieldSpec(
        Field.UNITS,
        gettext_lazy("number of units"),
        heading=r"(кол во|количество|число) (жилых )?(квартир|помещен)|^квартир$|^(flats|units|apartments)$",
        only_mapped=True,
    ),
    FieldSpec(
        Field.ENTRANCES,
        gettext_lazy("number of entrances"),
        heading=r"(кол во|количество|число) подъезд|^подъездов$|^entrances$",
        only_mapped=True,
    ),
    FieldSpec(
        Field.FLOORS,
        gettext_lazy("number of floors"),
        heading=r"(кол во|количество|число) этаж|^этаж(ей|ность)$|^(floors|storeys)$",
        only_mapped=True,
    ),
)
FIELDS = FieldSet(specs=SPECS, required=((Field.ADDRESS,),))


def parse_mapping(text: str) -> dict[Field, str]:
    """`address=ADDRESS,gps_lat=LAT` as field → column name. Raises BrokenFileError."""
    return {Field(name): column for name, column in columns.parse_mapping(text, SPECS).items()}


def find_columns(header: Sequence[str], mapping: Mapping[Field, str]) -> Columns:
    """Find the fields in a header; see crm.importing.columns.find_columns.

    Raises BrokenFileError as it does, and when no column holds the address.
    """
    by_name = {str(field): column for field, column in mapping.items()}
    found = columns.find_columns(header, by_name, SPECS)
    if Field.ADDRESS not in found.positions:
        raise BrokenFileError(
            _("No column holds the address. Columns of the file: %(columns)s.")
            % {"columns": listed(header)}
        )
    return found
