"""Which column holds which field, guessed from headings and contents for a person to correct."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.utils.translation import gettext as _

from crm.importing.columns import Columns, FieldSpec, words
from crm.importing.table import BrokenFileError, Row, trimmed

_LOOKS_LIKE_IT = 0.8
_MOST_TITLE_ROWS = 15
# A longer text is a title or a row of data.
_LONGEST_HEADING = 100


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """For each column of the file the name of the field that it holds, None where it is left out.

    It is plain data: `list(mapping.fields)` can be stored as JSON, and comes back by the constructor.
    by_contents: the columns whose heading said nothing.
    """

    fields: tuple[str | None, ...]
    by_contents: frozenset[int] = frozenset()

    def unknown(self, header: Sequence[str]) -> list[str]:
        """Headings of the columns that are left out; empty headings are not worth a word."""
        return [
            name.strip()
            for name, field in zip(header, self.fields, strict=False)
            if field is None and name.strip()
        ]

    def columns(self, specs: Iterable[FieldSpec]) -> Columns:
        """For reading rows."""
        return Columns(
            positions={field: at for at, field in enumerate(self.fields) if field is not None},
            width=len(self.fields),
            long=frozenset(spec.name for spec in specs if spec.long),
        )


@dataclass(frozen=True, slots=True)
class FieldSet:
    """The fields of one kind of import.

    required: groups of fields, of each of which one must be there.
    """

    specs: tuple[FieldSpec, ...]
    required: tuple[tuple[str, ...], ...]

    @property
    def by_name(self) -> dict[str, FieldSpec]:
        """Name → field."""
        return {spec.name: spec for spec in self.specs}

    def missing(self, mapping: ColumnMapping) -> list[str]:
        """What no column holds though it must be there: labels, alternatives joined by a slash."""
        by_name = self.by_name
        return [
            " / ".join(str(by_name[name].label) for name in group)
            for group in self.required
            if not any(name in mapping.fields for name in group)
        ]

    def refuse_unfit(self, mapping: ColumnMapping, *, width: int) -> None:
        """Raise BrokenFileError for a mapping that is not of this file and kind, or not complete."""
        named = [field for field in mapping.fields if field is not None]
        for field in named:
            if field not in self.by_name:
                known = ", ".join(self.by_name)
                raise BrokenFileError(
                    _("There is no field “%(name)s”. Fields: %(known)s.")
                    % {"name": field, "known": known}
                )
            if named.count(field) > 1:
                raise BrokenFileError(
                    _("Two columns are said to hold “%(field)s”.")
                    % {"field": self.by_name[field].label}
                )
        if len(mapping.fields) != width:
            raise BrokenFileError(
                _("The file has %(width)d columns, the mapping names %(named)d.")
                % {"width": width, "named": len(mapping.fields)}
            )
        if missing := self.missing(mapping):
            raise BrokenFileError(
                _("No column holds: %(fields)s.") % {"fields": ", ".join(missing)}
            )

    def guess(self, header: Sequence[str], sample: Sequence[Row]) -> ColumnMapping:
        """Headings first, then contents; each field at most once, the surer column has it."""
        found: dict[int, str] = {}
        for sure in (_usual, _pattern):
            for spec in self.specs:
                if spec.name in found.values():
                    continue
                fits = (
                    at for at, name in enumerate(header) if at not in found and sure(spec, name)
                )
                if (at := next(fits, None)) is not None:
                    found[at] = spec.name
        by_contents = self._by_contents(found, header, sample)
        fields = found | by_contents
        return ColumnMapping(
            fields=tuple(fields.get(at) for at in range(len(header))),
            by_contents=frozenset(by_contents),
        )

    def _by_contents(
        self, found: Mapping[int, str], header: Sequence[str], sample: Sequence[Row]
    ) -> dict[int, str]:
        scores: list[tuple[float, int, int, str]] = []
        for at in range(len(header)):
            cells = [row.cells[at].strip() for row in sample if at < len(row.cells)]
            cells = [cell for cell in cells if cell]
            if at in found or not cells:
                continue
            for place, spec in enumerate(self.specs):
                if spec.contents is not None and spec.name not in found.values():
                    score = spec.contents(cells)
                    if score >= _LOOKS_LIKE_IT:
                        scores.append((-score, at, place, spec.name))
        guessed: dict[int, str] = {}
        for _score, at, _place, name in sorted(scores):
            if at not in guessed and name not in guessed.values():
                guessed[at] = name
        return guessed

    def known_headings(self, cells: Sequence[str]) -> int:
        """How many cells of a row are headings of these fields. «кв. 13» is data: a heading has no number."""
        named = [cell for cell in cells if not any(letter.isdigit() for letter in cell)]
        return sum(
            any(_usual(spec, cell) or _pattern(spec, cell) for spec in self.specs) for cell in named
        )


@cache
def _names(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(words, names))


def _usual(spec: FieldSpec, heading: str) -> bool:
    return words(heading[:_LONGEST_HEADING]) in _names((spec.name, *spec.usual))


def _pattern(spec: FieldSpec, heading: str) -> bool:
    plain = words(heading[:_LONGEST_HEADING])
    return bool(spec.heading and plain and re.search(spec.heading, plain))


def header_among(rows: Sequence[Row], kinds: Iterable[FieldSet]) -> Row:
    """The row with the headings, among a file's first ones: titles and dates often stand above it.

    Without any known heading it is the first row with at least two cells, else the first.
    """
    rows = rows[:_MOST_TITLE_ROWS]
    kinds = list(kinds)
    scores = [max((kind.known_headings(row.cells) for kind in kinds), default=0) for row in rows]
    best = max(scores)
    if best:
        return rows[scores.index(best)]
    wide = (row for row in rows if len([cell for cell in trimmed(row.cells) if cell.strip()]) > 1)
    return next(wide, rows[0])
