"""What happens to visits: the one room behind every door."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import editing
from crm.deletion import delete_record, restore_record
from crm.editing import Changes
from crm.errors import Forbidden, Invalid
from crm.references import References
from crm.users.models import User
from objects.services import parent_object
from visits import rules
from visits.models import Visit
from visits.rules import REFUSALS, may_reopen
from visits.transitions import VisitStatus


def create_visit(*, actor: User, values: Changes) -> Visit:
    """Plan a visit, or record one that already took place. Raises Invalid, Forbidden."""
    with transaction.atomic(), editing.refusals(REFUSALS):
        parent = parent_object(values.get("object_id"), actor=actor)
        refs = References(actor)
        refs.put(parent)
        record = rules.new_visit(values, refs=refs)
        return editing.insert(record, actor=actor)


def update_visit(
    *,
    actor: User,
    record_id: UUID,
    changes: Changes,
    version: int | None = None,
    force: bool = False,
) -> Visit:
    """Edit a visit under its version; a status moves as its rules allow.

    Raises NotFound, StaleRecord, Invalid, Forbidden.
    """
    with transaction.atomic(), editing.refusals(REFUSALS):
        record = editing.locked(Visit, record_id, actor=actor, also=changes.get("object_id"))
        editing.compare(record, changes, version=version, force=force)
        changes = rules.visit_edit(record, changes, refs=References(actor))
        return editing.apply(record, changes, actor=actor)


def start_visit(*, actor: User, record_id: UUID, version: int | None = None) -> Visit:
    """The engineer is at the door."""
    changes = {"status": VisitStatus.IN_PROGRESS.value}
    return update_visit(actor=actor, record_id=record_id, changes=changes, version=version)


def complete_visit(*, actor: User, record_id: UUID, changes: Changes, version: int | None) -> Visit:
    """Finish a visit as DONE or CANCELLED, with its outcome."""
    changes = {"status": VisitStatus.DONE.value, **changes}
    return update_visit(actor=actor, record_id=record_id, changes=changes, version=version)


def cancel_visit(
    *, actor: User, record_id: UUID, changes: Changes, version: int | None = None
) -> Visit:
    """The visit does not take place."""
    changes = {**changes, "status": VisitStatus.CANCELLED.value}
    return update_visit(actor=actor, record_id=record_id, changes=changes, version=version)


def reopen_visit(*, actor: User, record_id: UUID, version: int | None = None) -> Visit:
    """Plan a finished or cancelled visit again. Raises Forbidden for an engineer who sees the visit."""
    with transaction.atomic():
        editing.locked(Visit, record_id, actor=actor)
        if not may_reopen(actor):
            raise Forbidden(_("Only supervisors and administrators reopen visits."))
        changes = {"status": VisitStatus.PLANNED.value}
        return update_visit(actor=actor, record_id=record_id, changes=changes, version=version)


def settle_call_back(*, actor: User, record_id: UUID, version: int | None = None) -> Visit:
    """Somebody has called: nothing is promised any more. Raises NotFound, StaleRecord."""
    changes = {"next_action_due_at": None}
    return update_visit(actor=actor, record_id=record_id, changes=changes, version=version)


def postpone_call_back(
    *, actor: User, record_id: UUID, until: datetime, version: int | None = None
) -> Visit:
    """Promise the call for another moment. Raises NotFound, StaleRecord, Invalid for a past one."""
    if until <= timezone.now():
        raise Invalid({"next_action_due_at": _("A call can only be put off to a later time.")})
    changes = {"next_action_due_at": until}
    return update_visit(actor=actor, record_id=record_id, changes=changes, version=version)


def delete_visit(*, actor: User, record_id: UUID) -> Visit:
    """Delete a visit softly. Raises NotFound, Forbidden."""
    return delete_record(Visit, record_id, actor=actor)


def restore_visit(*, actor: User, record_id: UUID) -> Visit:
    """Bring back a visit. Raises NotFound, Forbidden, Conflict."""
    return restore_record(Visit, record_id, actor=actor)


VISITS = editing.RecordServices(create_visit, update_visit, delete_visit, restore_visit)
