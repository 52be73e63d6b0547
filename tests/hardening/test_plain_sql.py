"""What somebody may do with plain SQL, and what must not come of it."""

import pytest
from django.db import connection
from django.utils import timezone

from objects.models import Object, Unit
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_restoring_what_was_deleted_without_an_id_restores_it_alone(cast: Cast) -> None:
    gone, other, live = cast.object(), cast.object(), cast.object()
    unit = cast.unit(live)
    Object.objects.filter(pk__in=[gone.pk, other.pk]).update(deleted_at=timezone.now())
    untouched = {
        model: model._base_manager.values_list("pk", "updated_at") for model in (Object, Unit)
    }
    before = {model: dict(rows) for model, rows in untouched.items()}
    answer = cast.api(cast.anna).post(f"/api/v1/objects/{gone.pk}/restore")
    assert answer.status_code == 200
    after = {model: dict(rows.all()) for model, rows in untouched.items()}
    assert before[Object].pop(gone.pk) < after[Object].pop(gone.pk)
    assert after == before
    assert unit.pk in after[Unit]
    assert set(Object.objects.live().values_list("pk", flat=True)) == {gone.pk, live.pk}


def test_the_order_of_keys_is_no_change(cast: Cast) -> None:
    unit = cast.unit(cast.object(), attributes={"б": 1, "а": {"y": [1, 2], "x": "ё"}})
    before = Unit.objects.values().get(pk=unit.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE objects_unit SET attributes = %s",
            ['{"\\u0430": {"x": "ё",  "y": [1,2]}, "\\u0431":1}'],
        )
    after = Unit.objects.values().get(pk=unit.pk)
    assert after == before
    Unit.objects.filter(pk=unit.pk).update(attributes={"б": 1, "а": {"y": [2, 1], "x": "ё"}})
    assert Unit.objects.get(pk=unit.pk).version == unit.version + 1
