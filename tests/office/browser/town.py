"""What a supervisor has to do with on that day."""

from datetime import timedelta

from django.utils import timezone

from objects.models import ObjectStatus
from sync.models import RefusedItem
from tests.cast import Cast

# Houses that nobody looks after.
NEW = 34


def build(cast: Cast) -> Cast:
    """Houses that nobody looks after, one of each other status, and a call that was promised."""
    for i in range(NEW):
        cast.object(
            address=f"ул. Ёлочная, д. {i + 1}", gps_lat=55.75 + i / 2000, gps_lng=37.6 + i / 3000
        )
    others = [
        cast.object(address=f"ул. Садовая, д. {i + 1}", status=status, gps_lat=55.7, gps_lng=37.5)
        for i, status in enumerate(ObjectStatus.values[1:])
    ]
    cast.object(address="ул. Баумана, д. 1", city=cast.kazan, district=cast.vakhitovsky)
    late = timezone.now() - timedelta(days=2)
    cast.visit(
        others[0], cast.ivan, status="DONE", scheduled_at=late, started_at=late, finished_at=late,
        outcome_text="Просила перезвонить", next_action_due_at=late + timedelta(days=1),
        customer=cast.customer(others[0]),
    )  # fmt: skip
    item = {"action": "upsert", "version": 1, "payload": {"status": "DONE", "tags": ["шлагбаум"]}}
    RefusedItem.objects.create(
        user=cast.ivan, fingerprint="0" * 64, device="Pixel 8", table="objects", item=item,
        record_id=others[1].pk, status="conflict", error_code="CONFLICT", city=cast.moscow,
        message="Запись изменил кто-то другой.", created_at=late, refused_at=late,
    )  # fmt: skip
    return cast
