"""The listener of the change port: each service call's changes become entries, in its transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import router
from django.utils import timezone

from audit.models import AuditEntry
from audit.personal import masked_sides, scrubbed
from crm.api.client import MAX_USER_AGENT
from crm.changes import Change
from crm.db.json_rows import insert_rows
from crm.ids import uuid7


def write(changes: Sequence[Change]) -> None:
    """Store one entry for each change, in one INSERT, at one moment.

    Whatever goes wrong here takes the change with it.
    """
    now = timezone.now()
    insert_rows(
        AuditEntry,
        [entry_of(change, now) for change in changes],
        using=router.db_for_write(AuditEntry),
    )


def entry_of(change: Change, moment: datetime) -> dict[str, Any]:
    """The columns of a change's entry."""
    before, after = masked_sides(change.before, change.after)
    origin = change.origin
    return {
        "id": uuid7(),
        "action": str(change.action),
        "entity_type": change.entity_type,
        "entity_id": change.entity_id,
        "version": change.version,
        "city_id": change.city_id,
        "actor_id": None if origin.actor is None else origin.actor.pk,
        "actor_name": None if origin.actor is None else scrubbed(origin.actor.full_name),
        "before": before,
        "after": after,
        "alike": alike(change, before, after),
        "remote_addr": origin.ip_address,
        "user_agent": scrubbed(origin.user_agent)[:MAX_USER_AGENT] or None,
        "cid": origin.request_id or None,
        "timestamp": moment,
    }


def alike(
    change: Change, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[str] | None:
    """The fields that changed although their masks are the same; None when there are none."""
    if not before or not after or change.before is None or change.after is None:
        return None
    found = [
        name
        for name, old in change.before.items()
        if name in change.after
        and change.after[name] != old
        and before.get(name) == after.get(name)
    ]
    return found or None
