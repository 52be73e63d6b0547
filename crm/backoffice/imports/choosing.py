"""The page of the columns: which column holds what, with some of its values beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from crm.backoffice.imports.models import Upload
from crm.backoffice.imports.settings import Settings
from crm.errors import Sentence
from crm.importing.guessing import ColumnMapping
from crm.importing.kinds import KINDS, ImportKind
from crm.importing.service import guess
from crm.importing.sheet import Sheet
from crm.importing.table import MAX_LINE, BrokenFileError
from crm.territory.models import City
from crm.users.models import User

SHOWN: Final = 3
LONGEST: Final = 60
_DIGITS: Final = 10


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column of the file. guessed: only its contents told what it is."""

    name: str
    heading: str
    values: Sequence[str]
    field: str
    guessed: bool
    empty: bool


def choices_of(sheet: Sheet, mapping: ColumnMapping) -> list[ColumnChoice]:
    """The columns in their order."""
    return [
        ColumnChoice(
            name=control(at),
            heading=heading.strip(),
            values=(values := some_values(sheet, at)),
            field=mapping.fields[at] or "",
            guessed=at in mapping.by_contents,
            empty=not values,
        )
        for at, heading in enumerate(sheet.header)
    ]


def control(at: int) -> str:
    """The name of a column's select box."""
    return f"column-{at}"


def some_values(sheet: Sheet, at: int) -> list[str]:
    """A few different values of a column."""
    found: dict[str, None] = {}
    for row in sheet.sample:
        text = " ".join(row.cells[at].split()) if at < len(row.cells) else ""
        if text:
            found[text if len(text) <= LONGEST else f"{text[:LONGEST]}…"] = None
        if len(found) == SHOWN:
            break
    return list(found)


def fields_of(kind: ImportKind) -> list[tuple[str, Sentence]]:
    """What a column may hold: name and label."""
    return [(spec.name, spec.label) for spec in kind.fields.specs]


def cities_for(user: User) -> list[City]:
    """Cities to choose from, for those who work in several; others import into their own."""
    return [] if user.city_id is not None and not user.is_admin else list(City.objects.all())


def read_sheet(given: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """The sheet and the line of the headings, as somebody corrected them. Raises BrokenFileError."""
    line = str(given.get("header_line") or "").strip()
    if not line:
        return given.get("sheet") or None, None
    if not (
        line.isascii() and line.isdecimal() and len(line) <= _DIGITS and 0 < int(line) < MAX_LINE
    ):
        raise BrokenFileError(_("The line of the headings is a number, from 1."))
    return given.get("sheet") or None, int(line)


def read_settings(
    given: Mapping[str, Any], *, upload: Upload, sheet: Sheet, user: User
) -> Settings:
    """What the form says. Raises BrokenFileError; whether the columns fit is not looked at."""
    fields = [given.get(control(at)) or None for at in range(len(sheet.header))]
    city, cities = given.get("city") or None, {str(one.pk) for one in cities_for(user)}
    if city is not None and city not in cities:
        raise BrokenFileError(_("There is no such city."))
    default_type = given.get("default_type") or ""
    if default_type and default_type not in dict(KINDS[upload.kind].types):
        raise BrokenFileError(_("There is no such type."))
    own = None if user.is_admin or user.city_id is None else str(user.city_id)
    return Settings(
        sheet=sheet.sheet,
        header_line=sheet.header_line,
        header=sheet.header,
        fields=fields,
        city_id=city or own,
        default_type=default_type,
    )


def first_settings(upload: Upload, sheet: Sheet) -> tuple[Settings, frozenset[int]]:
    """The guess, and the columns that were guessed by their contents alone."""
    mapping = guess(upload.kind, sheet)
    kind_types = KINDS[upload.kind].types
    settings = Settings(
        sheet=sheet.sheet,
        header_line=sheet.header_line,
        header=sheet.header,
        fields=mapping.fields,
        default_type=str(kind_types[0][0]) if kind_types else "",
    )
    return settings, mapping.by_contents
