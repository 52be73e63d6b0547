"""What happens to visits: the one room behind every door."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Customer
from crm import editing
from crm.deletion import delete_record, restore_record
from crm.editing import Changes
from crm.errors import Forbidden, Invalid
from crm.users.models import User
from objects.models import Unit
from objects.services import parent_object
from visits.models import Visit
from visits.transitions import VisitStatus, allowed_moves, may_move

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm.errors import Sentence

REFUSALS: "Mapping[str, tuple[str, Sentence]]" = {
    "visits_visit_object_live": ("object_id", gettext_lazy("The object is deleted.")),
    "visits_visit_unit_of_object": ("unit_id", gettext_lazy("The unit belongs to another object.")),
    "visits_visit_customer_of_object": (
        "customer_id",
        gettext_lazy("The customer belongs to another object."),
    ),
    "visits_visit_engineer_active": ("engineer_id", gettext_lazy("This person is not active.")),
    "visits_visit_done_has_outcome": (
        "outcome_text",
        gettext_lazy("A finished visit needs the text of its outcome."),
    ),
    "visits_visit_outcome_blank": (
        "outcome_text",
        gettext_lazy("A finished visit needs the text of its outcome."),
    ),
    "visits_visit_started_before_finished": (
        "started_at",
        gettext_lazy("A visit cannot start after its end."),
    ),
}


def create_visit(*, actor: User, values: Changes) -> Visit:
    """Plan a visit, or record one that already took place. Raises Invalid, Forbidden."""
    with transaction.atomic(), editing.refusals(REFUSALS):
        parent = parent_object(values.get("object_id"), actor=actor)
        values = {**values, "engineer_id": values.get("engineer_id") or actor.pk}
        record = Visit(**values)
        record.object = parent
        draft_times(record, values)
        check_visit(record, values, actor=actor)
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
        changes = editing.really_changed(record, changes)
        check_move(record, changes, actor=actor)
        if "object_id" in changes:
            check_new_object(record, changes, actor=actor)
        draft = editing.edited(record, changes)
        draft_times(draft, changes)
        times = {name: getattr(draft, name) for name in ("started_at", "finished_at")}
        changes = editing.really_changed(record, {**changes, **times})
        check_visit(draft, changes, actor=actor)
        return editing.apply(record, changes, actor=actor)


def check_move(record: Visit, changes: Changes, *, actor: User) -> None:
    """Raise Invalid that names the allowed moves, unless the status may move as asked."""
    target = changes.get("status", record.status)
    if may_move(record.status, target, may_reopen=may_reopen(actor)):
        return
    moves = allowed_moves(record.status, may_reopen=may_reopen(actor))
    allowed = ", ".join(moves) or "—"
    raise Invalid(
        {
            "status": _("A visit cannot move from %(status)s to %(target)s. Allowed: %(allowed)s.")
            % {"status": record.status, "target": target, "allowed": allowed}
        }
    )


def may_reopen(actor: User) -> bool:
    """Engineers finish visits; only those who control the work open them again."""
    return not actor.is_engineer


def check_new_object(record: Visit, changes: Changes, *, actor: User) -> None:
    """A visit moves to another object only while it is planned, and not by an engineer."""
    if actor.is_engineer:
        raise Forbidden(_("Engineers cannot move a visit to another object."))
    if {record.status, changes.get("status", record.status)} != {VisitStatus.PLANNED}:
        raise Invalid({"object_id": _("Only a planned visit can move to another object.")})
    parent_object(changes["object_id"], actor=actor)


def draft_times(record: Visit, changes: Changes) -> None:
    """Give the visit the times that its status implies, where the caller gave none."""
    if record.status == VisitStatus.PLANNED:
        record.started_at = record.finished_at = None
    elif record.status == VisitStatus.IN_PROGRESS:
        record.started_at = record.started_at or timezone.now()
        record.finished_at = None
    elif record.status == VisitStatus.DONE:
        record.finished_at = record.finished_at or timezone.now()
        record.started_at = record.started_at or record.finished_at
        if "started_at" not in changes and record.started_at > record.finished_at:
            # The phone's clock finished before the server's clock started: believe the phone.
            record.started_at = record.finished_at


def check_visit(record: Visit, changes: Changes, *, actor: User) -> None:
    """The rules of a visit as it would be after `changes`. Raises Invalid, Forbidden."""
    if "engineer_id" in changes and record.engineer_id != actor.pk:
        if actor.is_engineer:
            raise Forbidden(_("Engineers plan visits only for themselves."))
        people = User.objects.visible_to(actor).active()
        editing.reference(people, record.engineer_id, field="engineer_id")
    problems = {**place_problems(record, changes, actor=actor), **time_problems(record, changes)}
    if record.status == VisitStatus.DONE and not (record.outcome_text or "").strip():
        problems["outcome_text"] = REFUSALS["visits_visit_outcome_blank"][1]
    if (record.geo_captured_lat is None) != (record.geo_captured_lng is None):
        missing = "geo_captured_lat" if record.geo_captured_lat is None else "geo_captured_lng"
        problems[missing] = _("Give both coordinates or neither.")
    if problems:
        raise Invalid(problems)


def place_problems(record: Visit, changes: Changes, *, actor: User) -> "dict[str, Sentence]":
    """Units and customers of other objects. Raises Invalid for those out of sight."""
    problems: dict[str, Sentence] = {}
    for name, model in (("unit_id", Unit), ("customer_id", Customer)):
        if name not in changes and "object_id" not in changes:
            continue
        found = editing.reference(
            model.objects.visible_to(actor), getattr(record, name), field=name
        )
        if found is not None and found.object_id != record.object_id:
            problems[name] = REFUSALS[f"visits_visit_{name.removesuffix('_id')}_of_object"][1]
    return problems


def time_problems(record: Visit, changes: Changes) -> "dict[str, Sentence]":
    """Times in the future, or in the wrong order."""
    problems: dict[str, Sentence] = {}
    now = timezone.now()
    if "finished_at" in changes and record.finished_at is not None and record.finished_at > now:
        problems["finished_at"] = _("The time lies in the future.")
    # A start that was filled in from the end is not the caller's mistake.
    elif "started_at" in changes and record.started_at is not None and record.started_at > now:
        problems["started_at"] = _("The time lies in the future.")
    if record.started_at and record.finished_at and record.started_at > record.finished_at:
        problems.setdefault("started_at", REFUSALS["visits_visit_started_before_finished"][1])
    return problems


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


def delete_visit(*, actor: User, record_id: UUID) -> Visit:
    """Delete a visit softly. Raises NotFound, Forbidden."""
    return delete_record(Visit, record_id, actor=actor)


def restore_visit(*, actor: User, record_id: UUID) -> Visit:
    """Bring back a visit. Raises NotFound, Forbidden, Conflict."""
    return restore_record(Visit, record_id, actor=actor)


VISITS = editing.RecordServices(create_visit, update_visit, delete_visit, restore_visit)
