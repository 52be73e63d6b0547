"""Objects on a map: clusters of many, single ones where there are few. GeoJSON (RFC 7946).

Counting is one query over a grid (`crm.map_grid`), whatever the number of rows; its answer is bounded by the
number of cells. Sight and filters are those of the rows handed in: a cluster counts what the list would list.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from crm.db import in_boxes
from crm.db.cells import column_of, row_of
from crm.db.near_indexes import indexes_are_near
from crm.geo import Box
from crm.map_grid import Grid, grid_for
from objects.call_backs import next_call_backs
from objects.models import ObjectStatus

if TYPE_CHECKING:
    from crm.users.models import User

MAX_CELLS: Final = 2_000
# Where there are no more than these, or so near that each house has its place, every object is shown.
FEW, NEAR_ZOOM, MAX_NEAR = 50, 16, 1_000
# In cells: marks nearer to each other than that would overlap, and become one.
TOO_NEAR: Final = 0.55
SHOWN = (
    "id", "gps_lat", "gps_lng", "address", "type", "status", "last_visit_at",
    "responsible_user_id", "responsible_user__full_name",
)  # fmt: skip


@dataclass(slots=True)
class Cluster:
    """Objects that are told of together."""

    key: tuple[int, int]
    box: Box
    count: int = 0
    lat_sum: float = 0.0
    lng_sum: float = 0.0
    by_status: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        box: Box,
        count: int,
        lat_sum: float,
        lng_sum: float,
        by_status: Iterable[tuple[str, int]],
    ) -> None:
        """Count some more in."""
        self.box = Box(
            min(self.box.west, box.west),
            min(self.box.south, box.south),
            max(self.box.east, box.east),
            max(self.box.north, box.north),
        )
        self.count += count
        self.lat_sum += lat_sum
        self.lng_sum += lng_sum
        for status, number in by_status:
            self.by_status[status] = self.by_status.get(status, 0) + number

    @property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude: the mean of the members."""
        # A sum's last digit may carry the mean of equal numbers past them.
        lat = min(max(self.lat_sum / self.count, self.box.south), self.box.north)
        lng = min(max(self.lng_sum / self.count, self.box.west), self.box.east)
        return lat, lng


def clusters_of(
    ways: Sequence[QuerySet[Any]], *, boxes: Sequence[Box], zoom: int, reader: "User"
) -> dict[str, Any]:
    """The FeatureCollection of the objects in the boxes, at most MAX_CELLS features.

    ways: querysets without a common row, of what the reader sees, filtered: two queries each, and one for
    call-backs. boxes: as from `crm.geo.parse_bbox`. zoom: 0 (the whole world in 256 pixels) to MAX_ZOOM,
    coarsened where the boxes would hold too many cells.
    """
    inside = in_boxes("gps_lat", "gps_lng", boxes)
    located = [rows.filter(inside).order_by() for rows in ways]
    grid = grid_for(boxes, zoom, most=MAX_CELLS)
    with indexes_are_near(ways[0].db):
        cells = counted(located, grid)
    total = sum(cell.count for cell in cells)
    by_status = dict.fromkeys(ObjectStatus.values, 0)
    for cell in cells:
        for status, count in cell.by_status.items():
            by_status[status] += count
    if total <= FEW or (zoom >= NEAR_ZOOM and total <= MAX_NEAR):
        clusters: list[Cluster] = []
        singles = few(located) if total else []
    else:
        merged = apart(cells, grid)
        singles = lonely(located, [each for each in merged if each.count == 1])
        # One that has gone since it was counted stays a cluster of one: the sums stay right.
        found = {(row[1], row[2]) for row in singles}
        clusters = [each for each in merged if each.count > 1 or each.centre not in found]
    return {
        "type": "FeatureCollection",
        "zoom": grid.zoom,
        "total": total,
        "by_status": by_status,
        "features": [
            *(cluster_feature(each, grid) for each in clusters),
            *object_features(singles, reader),
        ],
    }


def few(located: Sequence[QuerySet[Any]]) -> list[Any]:
    """All of the objects, as rows of SHOWN, where counting has found few of them. One query each.

    Without a LIMIT: for the sake of one the planner would hope to meet them soon in the order of the table.
    """
    with indexes_are_near(located[0].db):
        return [row for rows in located for row in rows.values_list(*SHOWN)]


def counted(located: Sequence[QuerySet[Any]], grid: Grid) -> list[Cluster]:
    """The cells that hold something, largest first. One query each, read from an index alone."""
    cells: dict[tuple[int, int], Cluster] = {}
    for rows in located:
        for column, row, status, count, lat_sum, lng_sum, *edges in groups_of(rows, grid):
            box = Box(*edges)
            cell = cells.setdefault((column, row), Cluster((column, row), box))
            cell.add(box, count, lat_sum, lng_sum, [(status, count)])
    return sorted(cells.values(), key=lambda cell: (-cell.count, cell.key))


def groups_of(rows: QuerySet[Any], grid: Grid) -> QuerySet[Any]:
    """Column, row, status, how many, sums of latitudes and longitudes, west, south, east, north."""
    groups: QuerySet[Any] = (
        rows.annotate(cell_column=column_of("gps_lng", grid), cell_row=row_of("gps_lat", grid))
        .values_list("cell_column", "cell_row", "status")
        .annotate(
            # Not of a column: the index that holds all of these does not hold the id.
            members=Count("*"),
            lat_sum=Sum("gps_lat"),
            lng_sum=Sum("gps_lng"),
            west=Min("gps_lng"),
            south=Min("gps_lat"),
            east=Max("gps_lng"),
            north=Max("gps_lat"),
        )
    )
    return groups


def apart(cells: Sequence[Cluster], grid: Grid) -> list[Cluster]:
    """The cells, those whose marks would overlap counted into the larger one. They come largest first."""
    kept: dict[tuple[int, int], list[Cluster]] = {}
    for cell in cells:
        lat, lng = cell.centre
        x, y = grid.x(lng), grid.y(lat)
        near = [
            other
            for column in range(int(x) - 1, int(x) + 2)
            for row in range(int(y) - 1, int(y) + 2)
            for other in kept.get((column, row), ())
        ]
        nearest = min(near, key=lambda other: away(other, x, y, grid), default=None)
        if nearest is not None and away(nearest, x, y, grid) < TOO_NEAR:
            nearest.add(cell.box, cell.count, cell.lat_sum, cell.lng_sum, cell.by_status.items())
        else:
            kept.setdefault((int(x), int(y)), []).append(cell)
    return [cell for cells in kept.values() for cell in cells]


def away(cluster: Cluster, x: float, y: float, grid: Grid) -> float:
    """From a cluster's mark to a place on the plane, in cells."""
    lat, lng = cluster.centre
    return math.hypot(grid.x(lng) - x, grid.y(lat) - y)


def lonely(located: Sequence[QuerySet[Any]], clusters: Sequence[Cluster]) -> list[Any]:
    """The objects that are alone in their clusters, as rows of SHOWN. One query each, none without such."""
    places = {each.centre for each in clusters}
    if not places:
        return []
    # Also meets what shares its latitude with one and its longitude with another; hardly ever there is any.
    crossed = Q(gps_lat__in=[lat for lat, _ in places], gps_lng__in=[lng for _, lng in places])
    most = 2 * len(places) + 100
    rows = [row for rows in located for row in rows.filter(crossed).values_list(*SHOWN)[:most]]
    return [row for row in rows if (row[1], row[2]) in places]


def cluster_feature(cluster: Cluster, grid: Grid) -> dict[str, Any]:
    """A cluster in GeoJSON. Its id stays while the grid and the cell do."""
    lat, lng = cluster.centre
    box, (column, row) = cluster.box, cluster.key
    return {
        "type": "Feature",
        "id": f"{grid.zoom}/{column}/{row}",
        "bbox": [box.west, box.south, box.east, box.north],
        "geometry": {"type": "Point", "coordinates": [lng, lat]},
        "properties": {
            "cluster": True,
            "count": cluster.count,
            "by_status": {
                status: cluster.by_status.get(status, 0) for status in ObjectStatus.values
            },
        },
    }


def object_features(rows: Sequence[Any], reader: "User") -> list[dict[str, Any]]:
    """Single objects in GeoJSON."""
    ids: list[UUID] = [row[0] for row in rows]
    call_backs = next_call_backs(ids, reader)
    return [
        {
            "type": "Feature",
            "id": pk,
            "geometry": {"type": "Point", "coordinates": [lng, lat]},
            "properties": {
                "cluster": False,
                "address": address,
                "type": kind,
                "status": status,
                "responsible_user": None if person is None else {"id": person, "full_name": name},
                "last_visit_at": last_visit_at,
                "next_action_due_at": call_backs.get(pk),
            },
        }
        for pk, lat, lng, address, kind, status, last_visit_at, person, name in rows
    ]
