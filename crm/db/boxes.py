"""Rows in boxes of degrees, by plain comparisons: planners know from statistics how many there are."""

from collections.abc import Sequence

from django.db.models import Q

from crm.geo import ANTIMERIDIAN, POLE, Box


def in_boxes(lat_field: str, lng_field: str, boxes: Sequence[Box]) -> Q:
    """The rows whose coordinates lie in one of the boxes, edges included; no boxes, no rows.

    The boxes share their latitudes, which come first: a B-tree on both columns serves any number of them.
    """
    if not boxes:
        return Q(pk__in=[])
    south, north = boxes[0].south, boxes[0].north
    if south <= -POLE and north >= POLE:
        rows = Q(**{f"{lat_field}__isnull": False})
    else:
        rows = Q(**{f"{lat_field}__gte": south, f"{lat_field}__lte": north})
    if any(box.west <= -ANTIMERIDIAN and box.east >= ANTIMERIDIAN for box in boxes):
        return rows
    columns = Q()
    for box in boxes:
        columns |= Q(**{f"{lng_field}__gte": box.west, f"{lng_field}__lte": box.east})
    return rows & columns
