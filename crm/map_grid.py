"""The grid that a map's clusters are counted in: square cells of the Web Mercator plane, fixed to the globe.

A cell of one zoom is four of the next, and none moves when the map does, so that clusters stay where they are
while somebody pans.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crm.geo import Box

# A tile has 256 pixels, so a cell has 85: a mark of some 50 pixels and air around it.
CELLS_PER_TILE: Final = 3
MAX_ZOOM: Final = 20
# The plane has no poles. Whatever lies beyond stands in the first and in the last row.
MERCATOR_EDGE: Final = 85.05
WORLD_DEGREES: Final = 360.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one zoom; columns count from the 180th meridian eastwards, rows from north to south."""

    zoom: int

    @property
    def across(self) -> int:
        """How many cells lie side by side around the globe, and as many one upon another."""
        return CELLS_PER_TILE << self.zoom

    def x(self, lng: float) -> float:
        """Cells from the 180th meridian to a longitude."""
        return (lng + WORLD_DEGREES / 2) / WORLD_DEGREES * self.across

    def y(self, lat: float) -> float:
        """Cells from the plane's northern edge to a latitude."""
        kept = max(-MERCATOR_EDGE, min(MERCATOR_EDGE, lat))
        turned = math.log(math.tan(math.radians(90 + kept) / 2)) / (2 * math.pi)
        return (0.5 - turned) * self.across

    def cells_in(self, boxes: Sequence[Box]) -> int:
        """How many cells the boxes touch, at most."""
        return sum(
            (int(self.x(box.east)) - int(self.x(box.west)) + 1)
            * (int(self.y(box.south)) - int(self.y(box.north)) + 1)
            for box in boxes
        )


def grid_for(boxes: Sequence[Box], zoom: int, *, most: int) -> Grid:
    """The grid of the zoom, or the finest coarser one with at most `most` cells in the boxes."""
    while zoom > 0 and Grid(zoom).cells_in(boxes) > most:
        zoom -= 1
    return Grid(zoom)
