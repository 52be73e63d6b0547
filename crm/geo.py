"""Distances and boxes on the globe. In degrees; latitude before longitude, except in a bbox."""

import math
import re
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

# Mean radius R1 of the ellipsoid (Moritz, Geodetic Reference System 1980). A sphere is up to 0.5 % off.
EARTH_RADIUS_M: Final = 6_371_008.8
POLE: Final = 90.0
ANTIMERIDIAN: Final = 180.0
# A tenth of a millimetre.
DECIMALS: Final = 9
# Boxes only preselect rows, so they may be a hair too large (a tenth of a millimetre), never too small.
_MARGIN_DEGREES: Final = 1e-9
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_BBOX_NUMBERS: Final = 4
_POINT_NUMBERS: Final = 2


class InvalidCoordinates(ValueError):
    """Coordinates from outside that are none. The message is a translated sentence."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of degrees, edges included, that does not cross the 180th meridian: west ≤ east."""

    west: float
    south: float
    east: float
    north: float


def coordinate(degrees: float) -> float:
    """Degrees as they are stored: what comes from outside goes through here before it is compared or written.

    Phones send whatever their floats hold, and no two kinds of them the same: what is no difference on the
    ground is none here.
    """
    # The sum makes -0.0 zero.
    return round(degrees, DECIMALS) + 0.0


def haversine_m(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Great-circle distance in metres."""
    d_lat = math.radians(lat2 - lat1)
    d_lng = math.radians(lng2 - lng1)
    h = (
        math.sin(d_lat / 2) ** 2
        + math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * math.sin(d_lng / 2) ** 2
    )
    # Rounding takes h above 1 between antipodes, where asin is undefined.
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def boxes_around(lat: float, lng: float, radius_m: float) -> list[Box]:
    """The one or two boxes that hold every point within `radius_m` metres.

    Two when the circle crosses the 180th meridian; all longitudes when it holds a pole.
    Method: J. P. Matuschek, «Finding points within a distance of a latitude/longitude using bounding
    coordinates».
    """
    angle = radius_m / EARTH_RADIUS_M
    reach = math.degrees(angle) + _MARGIN_DEGREES
    south, north = lat - reach, lat + reach
    if south <= -POLE or north >= POLE:
        return [Box(-ANTIMERIDIAN, max(south, -POLE), ANTIMERIDIAN, min(north, POLE))]
    half_width = (
        math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(lat)))))
        + _MARGIN_DEGREES
    )
    west, east = lng - half_width, lng + half_width
    if west <= -ANTIMERIDIAN:
        west += 2 * ANTIMERIDIAN
    elif east >= ANTIMERIDIAN:
        east -= 2 * ANTIMERIDIAN
    return split_bbox(west, south, east, north)


def split_bbox(west: float, south: float, east: float, north: float) -> list[Box]:
    """The box as one or two that do not cross the 180th meridian: `west` > `east` means that it crosses it.

    A box that ends at the 180th meridian also holds the points stored with the other sign of 180.
    """
    if west > east:
        return [Box(west, south, ANTIMERIDIAN, north), Box(-ANTIMERIDIAN, south, east, north)]
    boxes = [Box(west, south, east, north)]
    if east == ANTIMERIDIAN and west > -ANTIMERIDIAN:
        boxes.append(Box(-ANTIMERIDIAN, south, -ANTIMERIDIAN, north))
    elif west == -ANTIMERIDIAN and east < ANTIMERIDIAN:
        boxes.append(Box(ANTIMERIDIAN, south, ANTIMERIDIAN, north))
    return boxes


def parse_bbox(text: str) -> list[Box]:
    """`west,south,east,north` from a query string, as boxes. Raises InvalidCoordinates."""
    numbers = _numbers(text)
    if len(numbers) != _BBOX_NUMBERS:
        raise InvalidCoordinates(_("Enter four numbers: west,south,east,north."))
    west, south, east, north = numbers
    _check(south, west)
    _check(north, east)
    if south > north:
        raise InvalidCoordinates(_("The south of the box lies north of its north."))
    return split_bbox(west, south, east, north)


def parse_point(text: str) -> tuple[float, float]:
    """`lat,lng` from a query string. Raises InvalidCoordinates."""
    numbers = _numbers(text)
    if len(numbers) != _POINT_NUMBERS:
        raise InvalidCoordinates(_("Enter two numbers: latitude,longitude."))
    lat, lng = numbers
    _check(lat, lng)
    return lat, lng


def _numbers(text: str) -> list[float]:
    # float() alone would also take «nan», «inf», «1_0» and digits of other scripts.
    parts = [part.strip() for part in text.split(",")]
    return [float(part) for part in parts] if all(_NUMBER.fullmatch(part) for part in parts) else []


def _check(lat: float, lng: float) -> None:
    if not -POLE <= lat <= POLE:
        raise InvalidCoordinates(_("A latitude lies between -90 and 90."))
    if not -ANTIMERIDIAN <= lng <= ANTIMERIDIAN:
        raise InvalidCoordinates(_("A longitude lies between -180 and 180."))
