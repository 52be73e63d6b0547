"""When to call back next, for whoever shows objects (objects.call_backs)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Min

from crm.users.models import User
from objects.call_backs import tell_by
from visits.models import Visit


@tell_by
def earliest(object_ids: Sequence[UUID], reader: User) -> Mapping[UUID, datetime]:
    """The earliest promised call-back of each object, of the visits that the reader sees."""
    rows = (
        Visit.objects.visible_to(reader)
        .filter(object_id__in=object_ids, next_action_due_at__isnull=False)
        .order_by()
        .values_list("object_id")
        .annotate(Min("next_action_due_at"))
    )
    return dict(rows)
