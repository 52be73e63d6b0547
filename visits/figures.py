"""What the home page counts, over what its reader may see. The days are those of the reader's city."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from crm.api.moments import local_day
from crm.backoffice.keeping import Kept, kept, sight_of
from crm.users.models import User
from objects.models import ObjectStatus
from visits.analytics import Slice, rate, visits_daily
from visits.models import Visit
from visits.transitions import VisitStatus

DAYS: Final = 30
# Where counting stops: more are "10 000+".
MOST: Final = 10_000
MOST_IN_BADGE: Final = 99


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects in each status, and those that nobody is responsible for."""

    by_status: dict[str, int]
    nobodys: int

    @property
    def total(self) -> int:
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class Capped:
    """A number that was counted up to `MOST`."""

    number: int
    more: bool

    def __bool__(self) -> bool:
        return self.number > 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What came of one engineer's visits."""

    engineer_id: UUID
    full_name: str
    total: int
    done: int
    cancelled: int

    @property
    def left(self) -> int:
        """Neither done nor called off, though their day is over."""
        return self.total - self.done - self.cancelled

    @property
    def rate(self) -> float:
        return rate(self.done, self.total)


def zone_name() -> str:
    """The zone that the page speaks in."""
    return timezone.get_current_timezone_name()


def span(first: date, last: date) -> tuple[datetime, datetime]:
    """From the beginning of one local day to the end of another."""
    zone = zone_name()
    return local_day(first, zone)[0], local_day(last, zone)[1]


def name_of(figure: str, reader: User) -> str:
    """A kept figure's name: it changes with sight, day and zone."""
    return f"{figure}.{sight_of(reader)}.{timezone.localdate()}.{zone_name()}"


def scheduled(reader: User, first: date, last: date) -> QuerySet[Visit]:
    """The visits of those local days, without an order."""
    begin, end = span(first, last)
    rows: QuerySet[Visit] = Slice(reader).visits()
    return rows.filter(scheduled_at__gte=begin, scheduled_at__lt=end).order_by()


def objects(reader: User) -> Kept[Objects]:
    """The funnel."""

    def count() -> Objects:
        # Not of the id: an index that does not hold it can answer.
        rows = (
            Slice(reader)
            .objects()
            .order_by()
            .values_list("status")
            .annotate(
                rows=Count("*"), nobodys=Count("status", filter=Q(responsible_user_id__isnull=True))
            )
        )
        found = list(rows)
        by_status = {**dict.fromkeys(ObjectStatus.values, 0), **{s: n for s, n, _ in found}}
        return Objects(by_status, sum(nobodys for _, _, nobodys in found))

    return kept(name_of("objects", reader), count)


def today(reader: User) -> Kept[dict[str, int]]:
    """Visits of today in each status."""

    def count() -> dict[str, int]:
        day = timezone.localdate()
        rows = scheduled(reader, day, day).values_list("status").annotate(rows=Count("*"))
        return {**dict.fromkeys(VisitStatus.values, 0), **dict(rows)}

    return kept(name_of("today", reader), count)


def last_days() -> tuple[date, date]:
    """The days of the chart, today included."""
    day = timezone.localdate()
    return day - timedelta(days=DAYS - 1), day


def past_days() -> tuple[date, date]:
    """The same number of whole days: what is planned for today may still be done."""
    day = timezone.localdate()
    return day - timedelta(days=DAYS), day - timedelta(days=1)


def daily(reader: User) -> Kept[list[dict[str, Any]]]:
    """Visits of each of the last days."""
    first, last = last_days()
    return kept(
        name_of("daily", reader),
        lambda: visits_daily(Slice(reader), first=first, last=last, zone=zone_name()),
    )


def completion(reader: User) -> Kept[list[Completion]]:
    """Each engineer who had visits in the past days: who left the greatest share undone comes first."""

    def count() -> list[Completion]:
        rows = scheduled(reader, *past_days()).values_list("engineer_id")
        found = rows.annotate(
            rows=Count("*"),
            done=Count("status", filter=Q(status=VisitStatus.DONE)),
            cancelled=Count("status", filter=Q(status=VisitStatus.CANCELLED)),
        )
        figures = {engineer: numbers for engineer, *numbers in found}
        names = User.objects.filter(pk__in=figures).values_list("pk", "full_name")
        people = [Completion(pk, name, *figures[pk]) for pk, name in names]
        return sorted(people, key=lambda one: (one.rate, -one.total, one.full_name))

    return kept(name_of("completion", reader), count)


def capped(rows: QuerySet[Any], most: int) -> Capped:
    """How many there are, up to `most`."""
    number = rows.order_by().values("pk")[: most + 1].count()
    return Capped(min(number, most), number > most)


def call_backs(reader: User) -> Kept[tuple[Capped, Capped]]:
    """Call-backs whose time is past, and those that are still to come today."""

    def count() -> tuple[Capped, Capped]:
        now = timezone.now()
        rows = Visit.objects.visible_to(reader)
        ends = span(timezone.localdate(), timezone.localdate())[1]
        later = rows.promised(since=now).filter(next_action_due_at__lt=ends)
        return capped(rows.overdue(now), MOST), capped(later, MOST)

    return kept(name_of("call_backs", reader), count)


def overdue_for_badge(reader: User) -> Kept[Capped]:
    """Late call-backs, up to what a badge can say."""

    def count() -> Capped:
        return capped(Visit.objects.visible_to(reader).overdue(timezone.now()), MOST_IN_BADGE)

    return kept(name_of("overdue", reader), count)


def highest(numbers: Sequence[int]) -> int:
    """The round number at the top of an axis."""
    top = max(numbers, default=0)
    step = 1
    while step * 5 < top:
        step *= 10
    for factor in (0.5, 1, 2, 5):
        if step >= 2 and step * factor >= top:  # noqa: PLR2004 - halves of one visit are none
            return int(step * factor)
    return max(step * 5, 1) if top > step * 2 else max(top, 1)
