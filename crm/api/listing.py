"""Lists: order, pages and cursors.

Pages count: exactly up to 10,000 matches, beyond that by the planner's estimate. Cursors go by the sort keys
of the last row, so that no row whose keys stand still is skipped or repeated while others write.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext as _

from crm.changes import plain
from crm.db.counting import Matches
from crm.db.guesses import gathered, is_guess
from crm.errors import Invalid

DEFAULT_LIMIT, MAX_LIMIT = 20, 1000
EXACT_TOTAL = 10_000
# Where OFFSET could not reach anyway; also keeps the product inside a 64-bit integer.
MAX_PAGE = 10**9
CURSOR_SALT = "crm.list-cursor"


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order. NULL counts as the greatest value, on both engines."""

    path: str
    descending: bool
    nullable: bool

    def expression(self) -> Any:
        """The ORDER BY term, in the form that a plain index serves."""
        column = F(self.path)
        if not self.nullable:
            return column.desc() if self.descending else column.asc()
        return column.desc(nulls_first=True) if self.descending else column.asc(nulls_last=True)

    @property
    def direction(self) -> str:
        """What the term says after its column."""
        nulls = ("NULLS FIRST" if self.descending else "NULLS LAST") if self.nullable else ""
        return f"{'DESC' if self.descending else 'ASC'} {nulls}".rstrip()

    def beyond(self, value: Any) -> Q:
        """Rows that come after `value` in this column's order."""
        if self.descending:
            if value is None:
                return Q(**{f"{self.path}__isnull": False})
            return Q(**{f"{self.path}__lt": value})
        if value is None:
            return Q(pk__in=[])
        after = Q(**{f"{self.path}__gt": value})
        return after | Q(**{f"{self.path}__isnull": True}) if self.nullable else after

    def at(self, value: Any) -> Q:
        """Rows that stand at `value`."""
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})

    def from_on(self, value: Any) -> Q:
        """Rows at `value` or after it: the bound that an index can begin at."""
        if value is None:
            return Q() if self.descending else Q(**{f"{self.path}__isnull": True})
        if self.descending:
            return Q(**{f"{self.path}__lte": value})
        bound = Q(**{f"{self.path}__gte": value})
        return bound | Q(**{f"{self.path}__isnull": True}) if self.nullable else bound


BY_ID = [SortKey("pk", descending=False, nullable=False)]


def sort_keys(raw: str, known: Mapping[str, str], model: type[Model]) -> list[SortKey]:
    """Parse `-updated_at,+address`; known: public name → path. A leading space is a `+` not encoded.

    Raises Invalid that lists the known names.
    """
    keys: list[SortKey] = []
    for word in raw.split(","):
        name = word.strip()
        descending = name.startswith("-")
        name = name[1:].strip() if name[:1] in "+-" else name
        if name not in known:
            raise Invalid(
                {
                    "sort": _("Cannot sort by “%(name)s”. Known fields: %(known)s.")
                    % {"name": name, "known": ", ".join(sorted(known))}
                }
            )
        if known[name] not in [key.path for key in keys]:
            keys.append(SortKey(known[name], descending, is_nullable(model, known[name])))
    if "pk" not in [key.path for key in keys]:
        keys.append(SortKey("pk", descending=keys[0].descending if keys else False, nullable=False))
    return keys


def is_nullable(model: type[Model], path: str) -> bool:
    """Whether a sort path can be NULL: itself, or a relation on the way to it."""
    if path in {"pk", "distance_m"}:
        return False
    nullable = False
    current: Any = model
    for part in path.split("__"):
        field = current._meta.get_field(part)
        nullable = nullable or field.null
        current = field.related_model
    return nullable


def whole_number(parameters: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    """A positive whole number parameter. Raises Invalid."""
    raw = parameters.get(name, "")
    if raw == "":
        return default
    if not (
        raw.isascii()
        and raw.isdigit()
        and len(raw) <= len(str(maximum))
        and 1 <= int(raw) <= maximum
    ):
        raise Invalid(
            {name: _("A whole number from 1 to %(maximum)s is expected.") % {"maximum": maximum}}
        )
    return int(raw)


def size_of(parameters: Mapping[str, str], name: str, alias: str) -> int:
    """How many rows one answer holds; `name` goes before `alias`. Raises Invalid, whichever is wrong."""
    second = whole_number(parameters, alias, DEFAULT_LIMIT, MAX_LIMIT)
    return whole_number(parameters, name, second, MAX_LIMIT)


def total_of(queryset: QuerySet[Any]) -> tuple[int, bool]:
    """How many rows match, and whether that is an estimate, which it may be beyond EXACT_TOTAL."""
    return Matches(queryset, EXACT_TOTAL).total(None)


def by_the_short_road(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The same rows in the same order, to be cut: gathered where there are few, see `crm.db.guesses`."""
    return gathered(rows) if is_guess(rows) and Matches(rows, EXACT_TOTAL).are_few() else rows


def ordered(queryset: QuerySet[Any], keys: Sequence[SortKey]) -> QuerySet[Any]:
    """The rows in that order."""
    return queryset.order_by(*(key.expression() for key in keys))


def value_at(row: Any, path: str) -> Any:
    """A row's value at a sort path, as JSON can hold it."""
    value = row
    for part in path.split("__"):
        value = getattr(value, part, None)
        if value is None:
            return None
    return plain(value)


def fingerprint(model: type[Model], keys: Sequence[SortKey], parameters: Mapping[str, str]) -> str:
    """What a cursor belongs to: this kind of record, this order, these filters."""
    chosen = sorted(
        (k, v) for k, v in parameters.items() if k not in {"cursor", "size", "limit", "count"}
    )
    return hashlib.sha256(
        repr((model._meta.label, [(k.path, k.descending) for k in keys], chosen)).encode()
    ).hexdigest()[:16]


def cursor_text(belongs: str, values: Sequence[Any]) -> str:
    """The cursor of a row with these sort values."""
    return signing.dumps(
        [belongs, [plain(value) for value in values]], salt=CURSOR_SALT, compress=True
    )


def invalid_cursor() -> Invalid:
    """It was not made here, or for something else."""
    return Invalid({"cursor": _("The cursor is not valid for this list.")})


def read_cursor(raw: str, belongs: str) -> list[Any]:
    """The sort keys of the last row seen. Raises Invalid for a foreign or broken cursor."""
    try:
        made_for, values = signing.loads(raw, salt=CURSOR_SALT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise invalid_cursor() from error
    if made_for != belongs:
        raise Invalid({"cursor": _("The cursor belongs to another order or other filters.")})
    return list(values)


def beyond(keys: Sequence[SortKey], values: Sequence[Any]) -> Q:
    """Rows that come after those values in lexicographic order."""
    condition = Q()
    for position in range(len(keys) - 1, -1, -1):
        key, value = keys[position], values[position]
        after = key.beyond(value)
        condition = after if position == len(keys) - 1 else after | (key.at(value) & condition)
    return keys[0].from_on(values[0]) & condition
