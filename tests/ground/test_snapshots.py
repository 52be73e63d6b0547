"""Two sides of an edit are told as each alone would be."""

import pytest

from crm.changes import snapshot, snapshots
from crm.editing import edited
from objects.models import Object
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "changes",
    [{}, {"address": "ул. Новая, д. 1", "tags": ["а"]}, {"gps_lat": 55.1, "gps_lng": None}, {"version": 7}],
    ids=str,
)  # fmt: skip
def test_as_each_alone(cast: Cast, changes: dict[str, object]) -> None:
    cast.object(gps_lat=55.0, gps_lng=37.0, tags=["б"], contact_name="Пётр")
    record = Object.objects.get()
    draft = edited(record, changes)
    assert repr(snapshots(record, draft)) == repr((snapshot(record), snapshot(draft)))
    # Of a row that was read in part the rest is asked for.
    part = Object.objects.only("address").get()
    assert repr(snapshots(part, draft)) == repr((snapshot(part), snapshot(draft)))
