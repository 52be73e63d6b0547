"""Figures that are dear to count, kept for a while for everybody who sees the same.

What was counted quickly is not kept: a small company always reads the truth. What took long is kept so long
that counting takes a hundredth of the time, at most ten minutes; pages say of when their figures are.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from django.core.cache import cache
from django.utils import timezone

from crm.territory.sight import Territory
from crm.users.models import User

T = TypeVar("T")

# Seconds. What takes less is counted each time.
CHEAP: Final = 0.1
SHARE: Final = 100
LONGEST: Final = 600.0
# Whoever renews a figure has so long before the next one tries; meanwhile the others get the old one.
RENEWING: Final = 60


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A figure, and when it was counted; `until`: seconds since 1970."""

    value: T
    moment: datetime
    until: float


def sight_of(reader: User) -> str:
    """What the figures of a supervisor or administrator depend on: those of one city see the same."""
    territory = Territory.of(reader)
    return "all" if territory.everything else f"{territory.city_id}.{territory.district_id}"


def kept(name: str, count: Callable[[], T]) -> Kept[T]:
    """The figure of that name, counted now or lately. The name holds all that the figure depends on."""
    key = f"office.kept.{name}"
    found: Kept[T] | None = cache.get(key)
    if found is not None and (
        time.time() < found.until or not cache.add(f"{key}.renewing", True, RENEWING)
    ):
        return found
    began = time.perf_counter()
    value = count()
    took = time.perf_counter() - began
    life = min(took * SHARE, LONGEST) if took > CHEAP else 0.0
    fresh = Kept(value, timezone.now(), time.time() + life)
    if life:
        # Longer than it is fresh: whoever comes while another counts anew gets the old one.
        cache.set(key, fresh, int(life) + RENEWING)
    cache.delete(f"{key}.renewing")
    return fresh
