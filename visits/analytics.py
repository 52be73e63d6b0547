"""Figures of the work, each over what its reader may see: nobody can count what they cannot list."""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from clients.models import Customer
from crm.api.moments import local_day
from crm.territory.models import City
from crm.territory.sight import Territory
from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object, ObjectStatus
from visits.models import Visit
from visits.transitions import VisitStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

# How many days each period reaches back.
PERIOD_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True, slots=True)
class Slice:
    """Whose figures, and of which city; None = all that the reader sees."""

    reader: User
    city_id: UUID | None = None

    def objects(self) -> QuerySet[Any]:
        """The objects counted."""
        rows: QuerySet[Any] = Object.objects.visible_to(self.reader)
        return rows if self.city_id is None else rows.filter(city_id=self.city_id)

    def visits(self) -> QuerySet[Any]:
        """The visits counted: by the city of their object."""
        return self.hanging(Visit.objects.visible_to(self.reader))

    def customers(self) -> QuerySet[Any]:
        """The customers counted."""
        return self.hanging(Customer.objects.visible_to(self.reader))

    def hanging(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those whose object lies in the city."""
        return rows if self.city_id is None else rows.filter(object__city_id=self.city_id)

    def engineers(self) -> QuerySet[User]:
        """Engineers at work there, whether they have visits or not."""
        rows: QuerySet[User] = (
            User.objects.visible_to(self.reader).active().filter(role=Role.ENGINEER)
        )
        return rows if self.city_id is None else rows.filter(city_id=self.city_id)


def cities_in_sight(reader: User) -> QuerySet[City]:
    """Cities whose figures a person may ask for: of their territory, or with an object that they see."""
    territory = Territory.of(reader)
    cities = City.objects.all()
    if territory.everything:
        return cities
    seen = Object.objects.visible_to(reader).filter(city_id=OuterRef("pk"))
    return cities.filter(Q(pk=reader.city_id) | Exists(seen))


def rate(completed: int, total: int) -> float:
    """The completed share of all, 0…1 to four digits; 0 of nothing."""
    return round(completed / total, 4) if total else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one glance. Visits are those scheduled in the period; the rest is as of now."""

    period: str
    since: datetime
    objects_total: int
    objects_in_work: int
    objects_by_status: dict[str, int]
    customers_total: int
    total_visits: int
    completed_visits: int
    completion_rate: float
    visits_by_status: dict[str, int]
    callbacks_due: int
    callbacks_overdue: int


def summary(cut: Slice, *, period: str) -> Summary:
    """The figures of the last `period` (a key of PERIOD_DAYS), in three queries."""
    now = timezone.now()
    since = now - timedelta(days=PERIOD_DAYS[period])
    by_status = counted(cut.objects(), ObjectStatus.values)
    scheduled = Q(scheduled_at__gte=since, scheduled_at__lte=now)
    today_ends = local_day(local_date(now))[1]
    due = Q(next_action_due_at__lt=today_ends)
    figures = {
        status: Count("pk", filter=scheduled & Q(status=status)) for status in VisitStatus.values
    }
    visits = (
        cut.visits()
        .filter(scheduled | due)
        .aggregate(
            **figures,
            callbacks_due=Count("pk", filter=due),
            callbacks_overdue=Count("pk", filter=Q(next_action_due_at__lt=now)),
        )
    )
    total = sum(visits[status] for status in VisitStatus.values)
    completed = visits[VisitStatus.DONE.value]
    return Summary(
        period=period,
        since=since,
        objects_total=sum(by_status.values()),
        objects_in_work=by_status[ObjectStatus.INTEREST.value],
        objects_by_status=by_status,
        customers_total=cut.customers().count(),
        total_visits=total,
        completed_visits=completed,
        completion_rate=rate(completed, total),
        visits_by_status={status: visits[status] for status in VisitStatus.values},
        callbacks_due=visits["callbacks_due"],
        callbacks_overdue=visits["callbacks_overdue"],
    )


def counted(rows: QuerySet[Any], statuses: "Iterable[str]") -> dict[str, int]:
    """How many rows are in each status, the empty ones included."""
    # COUNT(*), not of the id: an index that does not hold the id can answer.
    found = rows.order_by().values_list("status").annotate(rows=Count("*"))
    return {**dict.fromkeys(statuses, 0), **dict(found)}


def objects_by_city(cut: Slice) -> list[dict[str, Any]]:
    """Objects of each city that has any, by name: all of them, and those in work."""
    in_work = Count("pk", filter=Q(status=ObjectStatus.INTEREST))
    rows = (
        cut.objects().values("city_id", "city__name").annotate(total=Count("pk"), in_work=in_work)
    )
    return [
        {
            "city_id": row["city_id"],
            "city": row["city__name"],
            "total": row["total"],
            "in_work": row["in_work"],
        }
        for row in rows.order_by("city__name", "city_id")
    ]


@dataclass(slots=True)
class EngineerFigures:
    """One engineer's work."""

    engineer_id: UUID
    full_name: str
    total_visits: int = 0
    completed_visits: int = 0
    completion_rate: float = 0.0
    callbacks_overdue: int = 0


def engineers(cut: Slice, *, period: str) -> list[dict[str, Any]]:
    """Figures of each engineer by name: visits scheduled in the period, and call-backs past their time now.

    Those of the territory are listed even without visits, and whoever else has visits there: people work
    beyond their own city.
    """
    now = timezone.now()
    scheduled = Q(
        scheduled_at__gte=now - timedelta(days=PERIOD_DAYS[period]), scheduled_at__lte=now
    )
    overdue = Q(next_action_due_at__lt=now)
    people = {
        pk: EngineerFigures(pk, name) for pk, name in cut.engineers().values_list("pk", "full_name")
    }
    rows = cut.visits().filter(scheduled | overdue).values("engineer_id", "engineer__full_name")
    for row in rows.order_by().annotate(
        total=Count("pk", filter=scheduled),
        completed=Count("pk", filter=scheduled & Q(status=VisitStatus.DONE)),
        overdue=Count("pk", filter=overdue),
    ):
        people[row["engineer_id"]] = EngineerFigures(
            engineer_id=row["engineer_id"],
            full_name=row["engineer__full_name"],
            total_visits=row["total"],
            completed_visits=row["completed"],
            completion_rate=rate(row["completed"], row["total"]),
            callbacks_overdue=row["overdue"],
        )
    return [
        asdict(one) for one in sorted(people.values(), key=lambda p: (p.full_name, p.engineer_id))
    ]


@dataclass(slots=True)
class Day:
    """The visits scheduled for one local day."""

    date: date
    by_status: dict[str, int] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """As the API tells them."""
        return {
            "date": self.date,
            "planned": self.by_status.get(VisitStatus.PLANNED, 0),
            "in_progress": self.by_status.get(VisitStatus.IN_PROGRESS, 0),
            "completed": self.by_status.get(VisitStatus.DONE, 0),
            "cancelled": self.by_status.get(VisitStatus.CANCELLED, 0),
            "total": sum(self.by_status.values()),
        }


def local_date(moment: datetime) -> date:
    """The day that a moment falls on in TIME_ZONE."""
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def visits_daily(cut: Slice, *, first: date, last: date, zone: str = "") -> list[dict[str, Any]]:
    """The visits of each local day from `first` to `last`, both included, none left out.

    zone: whose days they are; TIME_ZONE's when left out.
    """
    zone = zone or settings.TIME_ZONE
    count = (last - first).days + 1
    days = [Day(first + timedelta(days=n)) for n in range(count)]
    found = {day.date: day for day in days}
    begin, end = local_day(first, zone)[0], local_day(last, zone)[1]
    rows = (
        cut.visits()
        .filter(scheduled_at__gte=begin, scheduled_at__lt=end)
        .annotate(day=TruncDate("scheduled_at", tzinfo=ZoneInfo(zone)))
        .order_by()
        .values_list("day", "status")
        .annotate(rows=Count("*"))
    )
    for day, status, number in rows:
        found[day].by_status[status] = number
    return [day.figures() for day in days]
