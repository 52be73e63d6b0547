"""The visits of one house: what happened so far fits the house's status, what is planned lies ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from visits.demo import texts
from visits.demo.draw import Draw
from visits.demo.rows import CustomerRow, HexId, ObjectRow, VisitRow

MINUTE = timedelta(minutes=1)
# How far from the house's own coordinates a phone believes to be, in degrees (about 20 m).
PHONE_ERROR = 0.0002


class Crew(NamedTuple):
    """Who goes there: the engineers of the district, and those of the whole city who stand in for them."""

    own: Sequence[HexId]
    city: Sequence[HexId]

    def pick(self, draw: Draw) -> HexId:
        """Usually one of their own; one visit in sixteen falls to a colleague from another district."""
        return draw.pick(self.city if draw.chance(1 / 16) else self.own)


class Calendar(NamedTuple):
    """Moments relative to a midnight, so that the demo is as fresh on every day.

    midnight: when the base day begins where the house stands, aware, in UTC.
    """

    draw: Draw
    midnight: datetime

    def working_hour(self, day: int) -> datetime:
        """A quarter of an hour between 9:00 and 19:45 local time, `day` days after the base day."""
        return self.midnight + timedelta(
            days=day, minutes=15 * self.draw.between(9 * 4, 20 * 4 - 1)
        )


@dataclass(frozen=True, slots=True)
class Diary:
    """What engineers did and plan to do in one house."""

    draw: Draw
    calendar: Calendar
    house: ObjectRow
    customers: Sequence[CustomerRow]
    crew: Crew

    def visits(self) -> list[VisitRow]:
        """One to three visits, two on average."""
        draw, status = self.draw, self.house.status
        count = draw.pick((1, 2, 2, 3))
        if status == "NEW":
            return [self._ahead() for _ in range(count)]
        due_day = self._call_back_day()
        last_day = min(due_day if due_day is not None else 0, 0) - draw.between(1, 45)
        rows = [self._decisive(last_day, due_day)]
        for _ in range(count - 1):
            goes_on = status in ("INTEREST", "CALLBACK") and draw.chance(0.5)
            rows.append(self._ahead() if goes_on else self._earlier(last_day))
        return rows

    def _call_back_day(self) -> int | None:
        """The day on which a call was promised, from ten days overdue to three weeks ahead."""
        status = self.house.status
        if status == "CALLBACK" or (status == "INTEREST" and self.draw.chance(0.3)):
            return self.draw.between(-10, 21)
        return None

    def _ahead(self) -> VisitRow:
        """A planned visit, from today to three weeks ahead."""
        return self._planned(self.draw.pick(self.customers), self.draw.between(0, 21))

    def _decisive(self, day: int, due_day: int | None) -> VisitRow:
        """The visit that brought the house to its status."""
        done = self._finished(day, texts.OUTCOMES[self.house.status])
        if due_day is None:
            return done
        return done._replace(next_action_due_at=self.calendar.working_hour(due_day))

    def _earlier(self, before_day: int) -> VisitRow:
        """A visit before the decisive one: nobody at home, a first talk, or called off."""
        day = before_day - self.draw.between(2, 120)
        if self.draw.chance(0.3):
            planned = self._planned(self.draw.pick(self.customers), day)
            return planned._replace(
                status="CANCELLED", outcome_text=self.draw.pick(texts.CANCELLATIONS)
            )
        return self._finished(day, texts.NOBODY_HOME)

    def _planned(self, customer: CustomerRow, day: int) -> VisitRow:
        return VisitRow(
            id=self.draw.new_id(),
            object_id=self.house.id,
            unit_id=customer.unit_id,
            customer_id=customer.id,
            engineer_id=self.crew.pick(self.draw),
            scheduled_at=self.calendar.working_hour(day),
            started_at=None,
            finished_at=None,
            status="PLANNED",
            interests=[],
            outcome_text=None,
            next_action_due_at=None,
            geo_captured_lat=None,
            geo_captured_lng=None,
        )

    def _finished(self, day: int, outcomes: Sequence[str]) -> VisitRow:
        """A visit as it looks when the engineer has been there."""
        draw, customer = self.draw, self.draw.pick(self.customers)
        planned = self._planned(customer, day)
        started_at = planned.scheduled_at + MINUTE * draw.between(-10, 25)
        located = draw.chance(0.8)
        return planned._replace(
            status="DONE",
            started_at=started_at,
            finished_at=started_at + MINUTE * draw.between(8, 55),
            interests=customer.interests,
            outcome_text=draw.pick(outcomes),
            geo_captured_lat=self._nearby(self.house.gps_lat) if located else None,
            geo_captured_lng=self._nearby(self.house.gps_lng) if located else None,
        )

    def _nearby(self, degrees: float) -> float:
        return self.draw.degrees(degrees - PHONE_ERROR, degrees + PHONE_ERROR)
