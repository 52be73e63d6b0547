"""Seeded chance: every house has a stream of its own, the same in a town of thirty and of a million."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from crm.territory.dictionary_data import FIXED_MOMENT_MS, uuid7_bits
from visits.demo.rows import HexId

T = TypeVar("T")

# Mobile codes that, as far as is known, no operator has been given: nobody's phone rings because of a demo.
PHONE_CODES = (943, 944, 945, 946, 947, 948, 972, 973, 974, 975)
_NUMBERS_PER_CODE = 10_000_000
_NUMBERS = len(PHONE_CODES) * _NUMBERS_PER_CODE
PHONES_PER_HOUSE = 4
# Seeds that differ by less than 25 never share a number, up to a million houses each.
_NUMBERS_PER_SEED = 1_000_000 * PHONES_PER_HOUSE
# Coprime to the count of numbers, so that consecutive serials scatter without ever meeting.
_SCATTER = 61_803_397


def phone_number(seed: int, house: int, place: int) -> str:
    """The E.164 number with that place (0…3) in a house: no two places of a seed share one."""
    serial = seed * _NUMBERS_PER_SEED + house * PHONES_PER_HOUSE + place
    scattered = serial * _SCATTER % _NUMBERS
    return f"+7{PHONE_CODES[scattered // _NUMBERS_PER_CODE]}{scattered % _NUMBERS_PER_CODE:07}"


class Draw:
    """The dice of one house at a time."""

    def __init__(self, seed: int) -> None:
        """seed: not negative; the same seed rolls the same."""
        if seed < 0:
            raise ValueError("the seed must not be negative")
        self.seed = seed
        self.house = 0
        self._random = Random()  # noqa: S311 - demo data, nothing secret
        self.chance_value = self._random.random

    def begin(self, house: int) -> None:
        """Start the stream of house number `house`."""
        self.house = house
        self._random.seed(self.seed << 64 | house)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, each as likely."""
        return choices[int(self.chance_value() * len(choices))]

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.chance_value() * (high - low + 1))

    def degrees(self, low: float, high: float) -> float:
        """A coordinate between, to a sixth decimal place (about 10 cm)."""
        return round(low + self.chance_value() * (high - low), 6)

    def chance(self, probability: float) -> bool:
        """True with that probability (0…1)."""
        return self.chance_value() < probability

    def some(self, choices: Sequence[T], low: int, high: int) -> list[T]:
        """From low to high different choices, in their own order."""
        count = self.between(low, high)
        start = self.between(0, len(choices) - 1)
        step = self.between(1, max(1, len(choices) // max(count, 1) - 1))
        chosen = {(start + step * turn) % len(choices) for turn in range(count)}
        return [choices[index] for index in sorted(chosen)]

    def new_id(self) -> HexId:
        """An identifier shaped like a UUID version 7, later for a later house."""
        return f"{uuid7_bits(FIXED_MOMENT_MS + self.house, self._random.getrandbits(74)):032x}"

    def phone(self, place: int) -> str:
        """The number with that place in this house."""
        return phone_number(self.seed, self.house, place)
