"""Moments in query parameters: a date means the whole local day, a datetime without offset is UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime

CALENDAR_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


def parse_moment(raw: str, *, end: bool) -> datetime:
    """The moment that a parameter stands for.

    A date is its day's beginning in TIME_ZONE or, with `end`, the last microsecond of that day. A space where
    a `+` was not encoded is taken as the plus. Raises ValueError.
    """
    text = raw.strip()
    if not CALENDAR_DAY.match(text):
        # Django also reads weeks and days without dashes, which no client means.
        raise ValueError(raw)
    try:
        day = parse_date(text)
    except ValueError as error:
        raise ValueError(raw) from error
    if day is not None:
        return local_day(day)[1] - timedelta(microseconds=1) if end else local_day(day)[0]
    text = text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(raw)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(raw) from error


def local_day(day: date, zone: str | None = None) -> tuple[datetime, datetime]:
    """When a local day and the next one begin, in UTC. Raises ValueError at the calendar's ends."""
    tz = ZoneInfo(zone or settings.TIME_ZONE)
    try:
        begin = datetime.combine(day, time(), tz).astimezone(UTC)
        return begin, datetime.combine(day + timedelta(days=1), time(), tz).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(day)) from error
