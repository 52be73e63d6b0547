"""A row of the file as what it says about one customer, checked as far as a row alone can be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.translation import gettext as _

from clients.importing import words
from clients.importing.columns import FIELDS, Field
from clients.models import Customer
from crm.importing.cells import phone, wrong_width
from crm.importing.columns import Columns
from crm.importing.rows import RowProblem
from crm.importing.table import Row
from crm.masking import is_masked
from objects.importing.addresses import address_key
from objects.importing.drafts import read_address
from objects.importing.places import Places
from objects.models import Unit


def _longest(model: type[Model], column: str) -> int:
    return int(getattr(model._meta.get_field(column), "max_length", 0))


_TEXTS = {
    field: _longest(Customer, field.value)
    for field in (Field.FULL_NAME, Field.CURRENT_PROVIDER, Field.PORTRAIT_TEXT, Field.NOTES)
}
_READERS: Mapping[Field, Callable[[str], Any]] = {
    Field.PHONE: phone,
    Field.INTERESTS: words.interests,
    Field.PROVIDER_RATING: words.rating,
    Field.PREFERRED_CALL_TIME: words.call_time,
    Field.DESIRED_PRICE: words.price,
    Field.SATISFIED: lambda text: words.yes_or_no(text, what=_("Satisfied")),
    Field.GDPR_CONSENT: lambda text: words.yes_or_no(text, what=_("Consent")),
}
_LONGEST_NUMBER = _longest(Unit, "unit_number")


def same_name(name: str) -> str:
    """What two writings of a name share: case, ё, dots and spaces say nothing."""
    return " ".join(name.casefold().replace("ё", "е").replace(".", " ").split())


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """What a row says. `given` holds the customer's own columns that the row fills in, and only those.

    places: where the row may be about, the likelier first: the key of the building (the city's id and
    objects.importing.addresses.address_key) and the flat. «ул. Мира, 5, пом. 3» may be an object by this
    address, or a unit of the building.
    """

    row: Row
    title: str
    address: str
    places: Sequence[tuple[bytes, str | None]]
    city_id: UUID
    given: Mapping[str, Any]

    @property
    def phone(self) -> str | None:
        """The whole phone that the row gives, in E.164; a mask is none."""
        number = self.given.get("phone")
        return None if is_masked(number) else number

    @property
    def name(self) -> str:
        """See same_name; "" without one."""
        return same_name(self.given.get("full_name", ""))


@dataclass(frozen=True, slots=True)
class CustomerReading:
    """How rows are read: the columns, and the city of rows that name none."""

    columns: Columns
    places: Places
    city_id: UUID | None = None

    def draft(self, row: Row) -> CustomerDraft | RowProblem:
        """Read one row, naming everything that is wrong with it at once."""
        if misfit := wrong_width(row, self.columns.width):
            return RowProblem(row, [misfit])
        said = self.columns.values(row.cells)
        sentences: list[str] = []

        def take(read: Callable[..., Any], *args: Any) -> Any:
            try:
                return read(*args)
            except ValueError as error:
                sentences.append(str(error))
                return None

        address = take(read_address, said)
        city_id = take(self._city, said, address) if address is not None else None
        number = take(_unit_number, said.get(Field.UNIT, ""))
        given = {field.value: take(_text, said[field], field) for field in _TEXTS if field in said}
        read = {field: reader for field, reader in _READERS.items() if field in said}
        given |= {field.value: take(reader, said[field]) for field, reader in read.items()}
        if Field.FULL_NAME not in said and Field.PHONE not in said:
            sentences.append(_("The row gives neither a name nor a phone."))
        if sentences or address is None or city_id is None:
            return RowProblem(row, sentences)
        return CustomerDraft(
            row=row,
            title=self.title(row),
            address=address,
            places=self._places(address, number, city_id),
            city_id=city_id,
            given=given,
        )

    def title(self, row: Row) -> str:
        """Whom the row is about: the name, else the phone, else the address, as the file writes it."""
        for field in (Field.FULL_NAME, Field.PHONE, Field.ADDRESS):
            at = self.columns.positions.get(field)
            if at is not None and at < len(row.cells) and (text := row.cells[at].strip()):
                return text
        return ""

    def _city(self, said: Mapping[str, str], address: str) -> UUID:
        named = said.get(Field.CITY_ID) or said.get(Field.CITY)
        return self.places.city_of(address, named=named, usual=self.city_id)

    def _places(
        self, address: str, number: str | None, city_id: UUID
    ) -> list[tuple[bytes, str | None]]:
        building, in_address = words.without_unit(address)
        city = self.places.city_names[city_id]
        found = [(city_id.bytes + address_key(address, city=city), number)]
        if in_address is not None and len(in_address) <= _LONGEST_NUMBER:
            found.append((city_id.bytes + address_key(building, city=city), number or in_address))
        return found


def _unit_number(text: str) -> str | None:
    number = words.unit_number(text)
    if len(number) > _LONGEST_NUMBER:
        raise ValueError(
            _("The unit's number is longer than %(most)d characters.") % {"most": _LONGEST_NUMBER}
        )
    return number or None


def _text(text: str, field: Field) -> str:
    if len(text) > _TEXTS[field]:
        name = FIELDS.by_name[field].label
        raise ValueError(
            _("%(field)s: longer than %(most)d characters.")
            % {"field": str(name).capitalize(), "most": _TEXTS[field]}
        )
    return text
