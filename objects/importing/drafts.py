"""A row of the file as what it says about one object, checked as far as a row alone can be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm.importing.cells import phone, wrong_width
from crm.importing.columns import Columns
from crm.importing.rows import RowProblem
from crm.importing.table import Row
from objects.importing import values
from objects.importing.addresses import address_key
from objects.importing.columns import Field
from objects.importing.places import Places
from objects.models import MAX_ADDRESS, MIN_ADDRESS, Object, ObjectStatus, ObjectType

_LONGEST_NAME = Object._meta.get_field("contact_name").max_length or 0
_LATITUDE, _LONGITUDE = 90, 180


@dataclass(frozen=True, slots=True)
class Draft:
    """What a row says. `given` holds the object's columns that the row fills in, and only those."""

    row: Row
    key: bytes
    city_id: UUID
    given: Mapping[str, Any]
    units: int | None
    entrances: int | None
    floors: int | None

    @property
    def digest(self) -> bytes:
        """Equal for rows that say the same about their address, however they spell it."""
        facts = sorted(
            (column, value) for column, value in self.given.items() if column != "address"
        )
        said = repr((facts, self.units, self.entrances, self.floors))
        return blake2b(said.encode(), digest_size=16).digest()


_CHOICES: Final[dict[Field, type[TextChoices]]] = {
    Field.TYPE: ObjectType,
    Field.STATUS: ObjectStatus,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read: the columns, and what holds for rows that do not say it themselves."""

    columns: Columns
    places: Places
    city_id: UUID | None = None
    _choices: dict[Field, dict[str, str]] = field(
        default_factory=lambda: {
            name: choices_by_name(choices) for name, choices in _CHOICES.items()
        }
    )

    def draft(self, row: Row) -> Draft | RowProblem:
        """Read one row, naming everything that is wrong with it at once."""
        if misfit := wrong_width(row, self.columns.width):
            return RowProblem(row, [misfit])
        said = self.columns.values(row.cells)
        sentences: list[str] = []

        def take(read: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            try:
                return read(*args, **kwargs)
            except ValueError as error:
                sentences.append(str(error))
                return None

        address = take(read_address, said)
        city_id = take(self._city, said, address) if address is not None else None
        given = {"address": address, "city_id": city_id}
        if city_id is not None:
            given["district_id"] = take(self._district, said, city_id)
        for choice in (Field.TYPE, Field.STATUS):
            given[choice.value] = take(self._choice, said, choice)
        given |= take(_position, said) or {}
        given["contact_name"] = take(_contact_name, said)
        given["contact_phone"] = take(_phone, said)
        given["tags"] = values.tags(said[Field.TAGS]) if Field.TAGS in said else None
        counts = [take(_count, said, counted) for counted in _COUNTS]
        if sentences or address is None or city_id is None:
            return RowProblem(row, sentences)
        return Draft(
            row,
            address_key(address, city=self.places.city_names[city_id]),
            city_id,
            {column: value for column, value in given.items() if value is not None},
            *counts,
        )

    def title(self, row: Row) -> str:
        """What a row that cannot be read is about: its address, as far as it has one."""
        at = self.columns.positions.get(Field.ADDRESS)
        return row.cells[at].strip() if at is not None and at < len(row.cells) else ""

    def _city(self, said: Mapping[str, str], address: str) -> UUID:
        named = said.get(Field.CITY_ID) or said.get(Field.CITY)
        return self.places.city_of(address, named=named, usual=self.city_id)

    def _district(self, said: Mapping[str, str], city_id: UUID) -> UUID | None:
        named = said.get(Field.DISTRICT_ID) or said.get(Field.DISTRICT)
        return self.places.district(named, city_id=city_id) if named else None

    def _choice(self, said: Mapping[str, str], choice: Field) -> str | None:
        if choice not in said:
            return None
        known = self._choices[choice]
        found = known.get(said[choice].casefold())
        if found is None:
            sentences = {
                Field.TYPE: _("There is no type “%(text)s”. Types: %(known)s."),
                Field.STATUS: _("There is no status “%(text)s”. Statuses: %(known)s."),
            }
            listed = ", ".join(str(label) for label in _CHOICES[choice].labels)
            raise ValueError(sentences[choice] % {"text": said[choice], "known": listed})
        return found


_COUNTS = {
    Field.UNITS: values.MAX_UNITS,
    Field.ENTRANCES: values.MAX_ENTRANCES,
    Field.FLOORS: values.MAX_FLOORS,
}


def choices_by_name(choices: type[TextChoices]) -> dict[str, str]:
    """Codes and the labels of both languages, in lower case → the code."""
    names = {value.casefold(): value for value in choices.values}
    for language in ("ru", "en"):
        with override(language):
            names |= {str(label).casefold(): value for value, label in choices.choices}
    return names


def read_address(said: Mapping[str, str]) -> str:
    """The row's address. Raises ValueError with a sentence for a person."""
    address = said.get(Field.ADDRESS, "")
    if not address:
        raise ValueError(_("The address is missing."))
    if not MIN_ADDRESS <= len(address) <= MAX_ADDRESS:
        raise ValueError(
            _("The address must have %(least)d to %(most)d characters, it has %(length)d.")
            % {"least": MIN_ADDRESS, "most": MAX_ADDRESS, "length": len(address)}
        )
    return address


def _position(said: Mapping[str, str]) -> dict[str, float]:
    lat, lng = said.get(Field.GPS_LAT), said.get(Field.GPS_LNG)
    if lat is None and lng is None:
        return {}
    if lat is None or lng is None:
        raise ValueError(_("Latitude and longitude come together; one of them is missing."))
    return {
        "gps_lat": values.coordinate(lat, limit=_LATITUDE),
        "gps_lng": values.coordinate(lng, limit=_LONGITUDE),
    }


def _contact_name(said: Mapping[str, str]) -> str | None:
    name = said.get(Field.CONTACT_NAME)
    if name and len(name) > _LONGEST_NAME:
        raise ValueError(
            _("The contact's name is longer than %(most)d characters.") % {"most": _LONGEST_NAME}
        )
    return name


def _phone(said: Mapping[str, str]) -> str | None:
    text = said.get(Field.CONTACT_PHONE)
    # A mask says something only next to the number that it hides: see matching.differences.
    return text if text is None else phone(text)


def _count(said: Mapping[str, str], counted: Field) -> int | None:
    names = {
        Field.UNITS: _("Number of units"),
        Field.ENTRANCES: _("Number of entrances"),
        Field.FLOORS: _("Number of floors"),
    }
    text = said.get(counted)
    return values.count(text, most=_COUNTS[counted], what=names[counted]) if text else None
