"""How long to look. `FUZZ_EXAMPLES=500 pytest tests/fuzz` hunts; the suite looks for a minute, always alike."""

import os
import random
import re
from collections.abc import Sequence
from typing import Any, TypeVar
from zlib import crc32

from hypothesis import HealthCheck, Phase, settings

T = TypeVar("T")
AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# 0: the suite's own short look.
HUNT = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def examples(few: int, *phases: Phase) -> settings:
    """Hypothesis' settings for `few` examples, or for as many as the hunt asks for, each time others."""
    return settings(
        max_examples=HUNT or few,
        derandomize=not HUNT,
        database=None,
        deadline=None,
        phases=phases or [Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def some(values: Sequence[T], few: int, *about: Any) -> list[T]:
    """`few` of the values, always the same ones for the same subject; a hunt takes as many as it is told.

    Whatever ids a subject's path has in this run.
    """
    number = HUNT or few
    if number >= len(values):
        return list(values)
    chance = (
        random.Random() if HUNT else random.Random(crc32(AN_ID.sub("id", repr(about)).encode()))
    )
    return chance.sample(values, number)
