"""Answers of lists as JSON: a page with its total, a step of a cursor, or a bare array.

Each is a plan, worked out once from what was asked and by whom, and carried out as often as it is asked.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.api import listing
from crm.api.listing import EXACT_TOTAL, SortKey
from crm.api.rendering import to_json
from crm.db.counting import Matches
from crm.db.guesses import gathered, is_guess
from crm.db.json_pages import ANY_ID, JsonRow
from crm.errors import Invalid


class Rows(Protocol):
    """Rows in their order, as many as were asked for."""

    def fetch(self) -> list[JsonRow]:
        """Read them."""


class Reading(Protocol):
    """How rows are to be read."""

    def __call__(
        self, rows: QuerySet[Any], keys: Sequence[SortKey], *, telling: bool = False
    ) -> Rows:
        """Rows in the order of the keys, and cut. telling: whether their values are wanted, for a cursor."""


class RowsBeyond(Rows, Protocol):
    """Rows that are read beyond any id."""

    def fetch_for(self, row_id: UUID) -> list[JsonRow]:
        """Read those beyond the id, of a statement made for ANY_ID."""


class Plan(Protocol):
    """How one list is answered."""

    def answer(self) -> bytes:
        """Its JSON, as the data are now."""


@dataclass(frozen=True)
class BySerializer:
    """Rows that the serializer represents, one by one."""

    rows: QuerySet[Any]
    keys: Sequence[SortKey]
    represent: Callable[[list[Any]], list[Any]]

    def fetch(self) -> list[JsonRow]:
        found = list(self.rows)
        return [
            JsonRow(
                to_json(shown).decode(),
                tuple(listing.value_at(row, key.path) for key in self.keys),
                None,
            )
            for row, shown in zip(found, self.represent(found), strict=True)
        ]


@dataclass(frozen=True)
class EitherWay:
    """Rows that match what can only be guessed at: by the road that is short, see `crm.db.guesses`."""

    matches: Matches
    gathered: Rows
    met: Rows

    def fetch(self) -> list[JsonRow]:
        return self.road().fetch()

    def fetch_for(self, row_id: UUID) -> list[JsonRow]:
        return cast("RowsBeyond", self.road()).fetch_for(row_id)

    def road(self) -> Rows:
        """The rows, to be read."""
        return self.gathered if self.matches.are_few() else self.met


def array(rows: Sequence[JsonRow]) -> str:
    """The rows as a JSON array."""
    return f"[{','.join([row.text for row in rows])}]"


@dataclass(frozen=True)
class BarePlan:
    """An array."""

    rows: Rows

    def answer(self) -> bytes:
        return array(self.rows.fetch()).encode()


@dataclass(frozen=True)
class PagePlan:
    """{"items", "page", "limit", "total", "pages", "has_next", "has_prev"[, "total_estimated"]}.

    rows: the page's and one more, which tells whether there is a next page, whatever an estimate says.
    """

    rows: Rows
    matches: Matches
    page: int
    limit: int
    exact: bool

    def answer(self) -> bytes:
        offset = (self.page - 1) * self.limit
        if offset >= EXACT_TOTAL:
            # Before reading through all rows only to find that there are not so many.
            total, estimated = self.counted(None)
            if not estimated and offset >= total:
                return self.told([], total, has_next=False)
        rows = self.rows.fetch()
        has_next = len(rows) > self.limit
        rows = rows[: self.limit]
        ends_here = not has_next and (bool(rows) or offset == 0)
        if ends_here and offset + len(rows) <= EXACT_TOTAL:
            return self.told(rows, offset + len(rows), has_next=False)
        total, estimated = self.counted(rows[0].state if rows else None)
        return self.told(rows, total, has_next=has_next, estimated=estimated)

    def counted(self, state: str | None) -> tuple[int, bool]:
        """How many rows match, and whether that is an estimate."""
        return (self.matches.exactly(), False) if self.exact else self.matches.total(state)

    def told(
        self, rows: Sequence[JsonRow], total: int, *, has_next: bool, estimated: bool = False
    ) -> bytes:
        """The answer's JSON."""
        rest = {
            "page": self.page,
            "limit": self.limit,
            "total": total,
            "pages": math.ceil(total / self.limit),
            "has_next": has_next,
            "has_prev": self.page > 1,
            **({"total_estimated": True} if estimated else {}),
        }
        return b'{"items":%b,%b' % (array(rows).encode(), to_json(rest)[1:])


@dataclass(frozen=True)
class StepPlan:
    """{"items", "next_cursor", "has_more"}. rows: the step's and one more."""

    rows: Rows
    limit: int
    belongs: str

    def answer(self) -> bytes:
        return self.told(self.rows.fetch())

    def told(self, rows: Sequence[JsonRow]) -> bytes:
        """The answer's JSON."""
        has_more = len(rows) > self.limit
        rows = rows[: self.limit]
        following = listing.cursor_text(self.belongs, rows[-1].values) if has_more else None
        rest = to_json({"next_cursor": following, "has_more": has_more})
        return b'{"items":%b,%b' % (array(rows).encode(), rest[1:])


@dataclass(frozen=True)
class WalkPlan:
    """A step of a cursor by id, from wherever the cursor stands. step: planned for ANY_ID."""

    step: StepPlan
    rows: RowsBeyond

    def answer_after(self, cursor: str) -> bytes:
        """The step beyond the cursor. Raises Invalid."""
        (last,) = listing.read_cursor(cursor, self.step.belongs)
        try:
            row_id = UUID(last)
        except (ValueError, TypeError, AttributeError) as error:
            raise listing.invalid_cursor() from error
        return self.step.told(self.rows.fetch_for(row_id))


def page_of(
    rows: QuerySet[Any], keys: Sequence[SortKey], parameters: Mapping[str, str], reading: Reading
) -> PagePlan:
    """The page that the parameters ask for. Raises Invalid."""
    limit = listing.size_of(parameters, "limit", "size")
    page = listing.whole_number(parameters, "page", 1, listing.MAX_PAGE)
    counting = parameters.get("count", "")
    if counting not in {"", "exact", "estimate"}:
        raise Invalid(
            {
                "count": _("Unknown value “%(value)s”. Known values: %(known)s.")
                % {"value": counting, "known": "exact, estimate"}
            }
        )
    offset = (page - 1) * limit
    matches = Matches(rows, EXACT_TOTAL)
    read = _read(rows, keys, slice(offset, offset + limit + 1), reading, matches)
    return PagePlan(read, matches, page, limit, counting == "exact")


def step_of(
    rows: QuerySet[Any], keys: Sequence[SortKey], parameters: Mapping[str, str], reading: Reading
) -> StepPlan:
    """The step that the parameters ask for; an empty cursor is the first. Raises Invalid."""
    limit = listing.size_of(parameters, "size", "limit")
    belongs = listing.fingerprint(rows.model, keys, parameters)
    given = parameters.get("cursor")
    last = listing.read_cursor(given, belongs) if given else None
    return StepPlan(_after(rows, keys, last, reading, limit), limit, belongs)


def walk_of(rows: QuerySet[Any], parameters: Mapping[str, str], reading: Reading) -> WalkPlan:
    """Steps by id, whatever row the cursor names. The rows are read by the database. Raises Invalid."""
    limit, keys = listing.size_of(parameters, "size", "limit"), listing.BY_ID
    belongs = listing.fingerprint(rows.model, keys, parameters)
    read = _after(rows, keys, [str(ANY_ID)], reading, limit)
    return WalkPlan(StepPlan(read, limit, belongs), cast("RowsBeyond", read))


def _after(
    rows: QuerySet[Any],
    keys: Sequence[SortKey],
    last: Sequence[Any] | None,
    reading: Reading,
    limit: int,
) -> Rows:
    """The rows of a step, and one more, to know whether there is another."""
    try:
        left = rows if last is None else rows.filter(listing.beyond(keys, last))
        matches = Matches(rows, EXACT_TOTAL)
        return _read(left, keys, slice(limit + 1), reading, matches, telling=True)
    except (ValidationError, ValueError, TypeError) as error:
        raise listing.invalid_cursor() from error


def bare_of(
    rows: QuerySet[Any], keys: Sequence[SortKey], parameters: Mapping[str, str], reading: Reading
) -> BarePlan:
    """The array that the parameters ask for: at most 1,000 rows. Raises Invalid."""
    name = "size" if parameters.get("size") else "limit"
    limit = listing.whole_number(parameters, name, listing.MAX_LIMIT, listing.MAX_LIMIT)
    return BarePlan(_read(rows, keys, slice(limit), reading, Matches(rows, EXACT_TOTAL)))


def _read(
    rows: QuerySet[Any],
    keys: Sequence[SortKey],
    cut: slice,
    reading: Reading,
    matches: Matches,
    *,
    telling: bool = False,
) -> Rows:
    """Some of the rows in the order of the keys. matches: all of them, those before a cursor included."""
    in_order = listing.ordered(rows, keys)
    met = reading(in_order[cut], keys, telling=telling)
    found = gathered(in_order) if is_guess(rows) else in_order
    if found is in_order:
        return met
    return EitherWay(matches, reading(found[cut], keys, telling=telling), met)
