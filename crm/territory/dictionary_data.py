"""The cities that every new installation starts with, and their administrative districts.

Each district carries a box of coordinates within its built-up part: whatever needs a believable place in the
district takes one from there. The boxes are smaller than the districts: a point beyond the boundary would lie
in somebody else's territory.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

# 2025-01-01T00:00:00Z in milliseconds: the time field of fixed identifiers.
FIXED_MOMENT_MS = 1_735_689_600_000


class Box(NamedTuple):
    """A rectangle in degrees (WGS 84)."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class DistrictData:
    """An administrative district and a box within it."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class CityData:
    """A city, its IANA time zone and its districts in their official order."""

    name: str
    time_zone: str
    districts: tuple[DistrictData, ...]


def fixed_id(*words: str) -> UUID:
    """The identifier that always belongs to `words`: a UUID version 7 with a hash for its random bits.

    Two installations get the same ids for the same cities: a link made for one fits the other.
    """
    random_bits = int.from_bytes(blake2b("\x1f".join(words).encode(), digest_size=16).digest())
    return UUID(int=uuid7_bits(FIXED_MOMENT_MS, random_bits))


def uuid7_bits(unix_ms: int, random_bits: int) -> int:
    """The UUID version 7 (RFC 9562, section 5.7) of a time and the low 74 of `random_bits`, as a number."""
    rand_a = random_bits >> 62 & 0xFFF
    rand_b = random_bits & 0x3FFF_FFFF_FFFF_FFFF
    return unix_ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b


def _city(
    name: str, time_zone: str, boxes: dict[str, tuple[float, float, float, float]]
) -> CityData:
    return CityData(
        name, time_zone, tuple(DistrictData(district, Box(*box)) for district, box in boxes.items())
    )


CITIES: tuple[CityData, ...] = (
    _city(
        "Москва",
        "Europe/Moscow",
        {
            "Центральный": (55.738, 37.590, 55.775, 37.650),
            "Северный": (55.806, 37.502, 55.858, 37.548),
            "Северо-Восточный": (55.835, 37.605, 55.888, 37.655),
            "Восточный": (55.746, 37.755, 55.808, 37.822),
            "Юго-Восточный": (55.656, 37.722, 55.714, 37.785),
            "Южный": (55.602, 37.618, 55.665, 37.685),
            "Юго-Западный": (55.618, 37.527, 55.678, 37.548),
            "Западный": (55.692, 37.432, 55.738, 37.495),
            "Северо-Западный": (55.797, 37.402, 55.853, 37.446),
            "Зеленоградский": (55.977, 37.172, 55.999, 37.212),
            "Новомосковский": (55.545, 37.385, 55.588, 37.455),
            "Троицкий": (55.472, 37.283, 55.493, 37.317),
        },
    ),
    _city(
        "Санкт-Петербург",
        "Europe/Moscow",
        {
            "Адмиралтейский": (59.912, 30.287, 59.929, 30.315),
            "Василеостровский": (59.938, 30.220, 59.950, 30.270),
            "Выборгский": (60.008, 30.322, 60.052, 30.352),
            "Калининский": (59.987, 30.382, 60.032, 30.412),
            "Кировский": (59.852, 30.238, 59.892, 30.272),
            "Колпинский": (59.737, 30.568, 59.757, 30.606),
            "Красногвардейский": (59.937, 30.438, 59.967, 30.476),
            "Красносельский": (59.828, 30.145, 59.853, 30.190),
            "Кронштадтский": (59.991, 29.748, 60.003, 29.772),
            "Курортный": (60.087, 29.952, 60.103, 29.968),
            "Московский": (59.838, 30.312, 59.887, 30.342),
            "Невский": (59.872, 30.442, 59.912, 30.478),
            "Петроградский": (59.955, 30.285, 59.970, 30.318),
            "Петродворцовый": (59.867, 29.875, 59.883, 29.915),
            "Приморский": (59.992, 30.215, 60.018, 30.285),
            "Пушкинский": (59.712, 30.388, 59.728, 30.422),
            "Фрунзенский": (59.838, 30.367, 59.887, 30.398),
            "Центральный": (59.925, 30.332, 59.943, 30.382),
        },
    ),
    _city(
        "Казань",
        "Europe/Moscow",
        {
            "Авиастроительный": (55.852, 49.078, 55.868, 49.112),
            "Вахитовский": (55.782, 49.108, 55.796, 49.142),
            "Кировский": (55.800, 49.022, 55.813, 49.056),
            "Московский": (55.827, 49.062, 55.838, 49.096),
            "Ново-Савиновский": (55.820, 49.117, 55.836, 49.152),
            "Приволжский": (55.738, 49.132, 55.768, 49.186),
            "Советский": (55.787, 49.182, 55.812, 49.222),
        },
    ),
    _city(
        "Екатеринбург",
        "Asia/Yekaterinburg",
        {
            "Академический": (56.782, 60.507, 56.795, 60.537),
            "Верх-Исетский": (56.834, 60.552, 56.848, 60.578),
            "Железнодорожный": (56.862, 60.562, 56.878, 60.597),
            "Кировский": (56.837, 60.638, 56.858, 60.682),
            "Ленинский": (56.807, 60.572, 56.828, 60.598),
            "Октябрьский": (56.807, 60.628, 56.826, 60.668),
            "Орджоникидзевский": (56.882, 60.592, 56.903, 60.632),
            "Чкаловский": (56.767, 60.592, 56.793, 60.632),
        },
    ),
)
