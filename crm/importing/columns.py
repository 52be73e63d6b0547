"""Which column of a file holds which field, said by name or by whoever corrects a guess."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm.errors import Sentence
from crm.importing.table import BrokenFileError

# What registers write where they know nothing.
_NOTHING = frozenset(
    {"", "-", "–", "—", "незаполнено", "не заполнено", "нет данных", "н/д", "null", "none", "n/a"}
)
_SPACES = re.compile(r"\s+")
_BLANKS = re.compile(r"[^\S\n]+")
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field that a column may hold.

    name: as commands and stored mappings say it. label: for people.
    usual: headings that mean it by themselves, in any case; commands go by these.
    heading: a pattern for the words of further headings (see `words`), for guesses only.
    contents: the share (0…1) of some cells that look like it; None where contents tell nothing.
    only_mapped: commands take it only when it is named. long: its line breaks are kept.
    """

    name: str
    label: Sentence
    usual: tuple[str, ...] = ()
    heading: str = ""
    contents: Callable[[Sequence[str]], float] | None = None
    only_mapped: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row of `width` cells. `long`: fields that keep their line breaks."""

    positions: Mapping[str, int]
    width: int
    long: frozenset[str] = frozenset()

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """The row's fields that say something, trimmed."""
        found: dict[str, str] = {}
        for field, at in self.positions.items():
            # A NUL cannot be stored; an apostrophe before a sign is how spreadsheets write text.
            text = cells[at].replace("\x00", "")
            text = _lines(text) if field in self.long else _SPACES.sub(" ", text).strip()
            if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@"):
                text = text[1:]
            if text.casefold() not in _NOTHING:
                found[field] = text
        return found


def _lines(text: str) -> str:
    return _BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def parse_mapping(text: str, specs: Iterable[FieldSpec]) -> dict[str, str]:
    """`address=ADDRESS,gps_lat=LAT` as field → column name. Raises BrokenFileError."""
    known = [spec.name for spec in specs]
    mapping: dict[str, str] = {}
    for pair in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, column = (piece.strip() for piece in pair.partition("="))
        if not equals or not column:
            raise BrokenFileError(_("“%(pair)s” is not of the form field=COLUMN.") % {"pair": pair})
        if name not in known:
            raise BrokenFileError(
                _("There is no field “%(name)s”. Fields: %(known)s.")
                % {"name": name, "known": ", ".join(known)}
            )
        if name in mapping:
            raise BrokenFileError(_("The field “%(name)s” is mapped twice.") % {"name": name})
        mapping[name] = column
    return mapping


def find_columns(
    header: Sequence[str], mapping: Mapping[str, str], specs: Iterable[FieldSpec]
) -> Columns:
    """Find the fields in a header, by `mapping` (field → column name) first, then by usual name.

    Raises BrokenFileError for a mapped column that is not there, and for a field that two columns claim.
    """
    specs = list(specs)
    taking = [spec for spec in specs if not spec.only_mapped]
    usual = {name: spec.name for spec in taking for name in (spec.name, *spec.usual)}
    names = [_plain(name) for name in header]
    positions = {
        field: _only(names, _plain(column), column, header) for field, column in mapping.items()
    }
    taken = set(positions.values())
    for at, name in enumerate(names):
        field = usual.get(name)
        if field is None or at in taken or field in mapping:
            continue
        if field in positions:
            raise BrokenFileError(
                _("Two columns hold the same field: “%(one)s” and “%(two)s”.")
                % {"one": header[positions[field]], "two": header[at]}
            )
        positions[field] = at
    return Columns(
        positions=positions,
        width=len(header),
        long=frozenset(spec.name for spec in specs if spec.long),
    )


def _only(names: Sequence[str], wanted: str, column: str, header: Iterable[str]) -> int:
    found = [at for at, name in enumerate(names) if name == wanted]
    if not found:
        raise BrokenFileError(
            _("The file has no column “%(column)s”. Columns of the file: %(columns)s.")
            % {"column": column, "columns": listed(header)}
        )
    if len(found) > 1:
        raise BrokenFileError(_("The file has several columns “%(column)s”.") % {"column": column})
    return found[0]


def _plain(name: str) -> str:
    return _SPACES.sub("_", name.strip().casefold().replace("ё", "е"))


def words(name: str) -> str:
    """A heading's words in lower case, without punctuation: «№ Кв.» → «кв», «E-mail» → «e mail»."""
    return _NOT_WORD.sub(" ", name.casefold().replace("ё", "е")).strip()


def listed(header: Iterable[str], longest: int = 300) -> str:
    """Column names for a sentence."""
    text = ", ".join(name.strip() for name in header)
    return text if len(text) <= longest else f"{text[:longest]}…"
