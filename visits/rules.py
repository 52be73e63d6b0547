"""The rules of visits: what a new one or an edit must be, wherever it comes from."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Customer
from crm import editing
from crm.editing import Changes
from crm.errors import Forbidden, Invalid
from crm.references import References
from crm.users.models import User
from objects.models import Object, Unit
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
# Status → the times that only come later.
NOT_YET: "Mapping[str, tuple[str, ...]]" = {
    VisitStatus.PLANNED: ("started_at", "finished_at"),
    VisitStatus.IN_PROGRESS: ("finished_at",),
}


def new_visit(values: Changes, *, refs: References) -> Visit:
    """A visit to be planned, or one that already took place. Raises Invalid, Forbidden."""
    values = {**values, "engineer_id": values.get("engineer_id") or refs.actor.pk}
    refuse_times_not_yet(None, values)
    parent = refs.require(Object, values.get("object_id"), field="object_id")
    record = editing.drafted(Visit, values)
    record.object = parent
    draft_times(record, values)
    check_visit(record, values, refs=refs)
    return record


def visit_edit(record: Visit, changes: Changes, *, refs: References) -> Changes:
    """What an edit comes to, the times that its status implies included. Raises Invalid, Forbidden."""
    changes = editing.really_changed(record, changes)
    check_move(record, changes, actor=refs.actor)
    refuse_times_not_yet(record, changes)
    if "object_id" in changes:
        check_new_object(record, changes, refs=refs)
    draft = editing.edited(record, changes)
    draft_times(draft, changes)
    times = {name: getattr(draft, name) for name in ("started_at", "finished_at")}
    changes = editing.really_changed(record, {**changes, **times})
    check_visit(draft, changes, refs=refs)
    return changes


def times_not_yet(record: Visit | None, values: "Mapping[str, Any]") -> list[str]:
    """Times among the values that a visit does not have yet, with the status that it would have."""
    status = values.get("status") or (VisitStatus.PLANNED if record is None else record.status)
    return [name for name in NOT_YET.get(status, ()) if values.get(name) is not None]


def refuse_times_not_yet(record: Visit | None, values: Changes) -> None:
    """Raise Invalid for times that would be dropped: nobody should believe that they were kept."""
    names = times_not_yet(record, values)
    if names:
        raise Invalid({name: _("A visit of this status has no such time yet.") for name in names})


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


def check_new_object(record: Visit, changes: Changes, *, refs: References) -> None:
    """A visit moves to another object only while it is planned, and not by an engineer."""
    if refs.actor.is_engineer:
        raise Forbidden(
            _("Engineers cannot move a visit to another object."), details={"fields": ["object_id"]}
        )
    if {record.status, changes.get("status", record.status)} != {VisitStatus.PLANNED}:
        raise Invalid({"object_id": _("Only a planned visit can move to another object.")})
    refs.require(Object, changes["object_id"], field="object_id")


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


def check_visit(record: Visit, changes: Changes, *, refs: References) -> None:
    """The rules of a visit as it would be after `changes`. Raises Invalid, Forbidden."""
    if "engineer_id" in changes and record.engineer_id != refs.actor.pk:
        if refs.actor.is_engineer:
            raise Forbidden(
                _("Engineers plan visits only for themselves."), details={"fields": ["engineer_id"]}
            )
        refs.require(User, record.engineer_id, field="engineer_id")
    problems = {**place_problems(record, changes, refs=refs), **time_problems(record, changes)}
    if record.status == VisitStatus.DONE and not (record.outcome_text or "").strip():
        problems["outcome_text"] = REFUSALS["visits_visit_outcome_blank"][1]
    if (record.geo_captured_lat is None) != (record.geo_captured_lng is None):
        missing = "geo_captured_lat" if record.geo_captured_lat is None else "geo_captured_lng"
        problems[missing] = _("Give both coordinates or neither.")
    if problems:
        raise Invalid(problems)


def place_problems(record: Visit, changes: Changes, *, refs: References) -> "dict[str, Sentence]":
    """Units and customers of other objects. Raises Invalid for those out of sight."""
    problems: dict[str, Sentence] = {}
    moved = "object_id" in changes
    if moved or "unit_id" in changes:
        unit = refs.check(Unit, record.unit_id, field="unit_id")
        if unit is not None and unit.object_id != record.object_id:
            problems["unit_id"] = REFUSALS["visits_visit_unit_of_object"][1]
    if moved or "customer_id" in changes:
        customer = refs.check(Customer, record.customer_id, field="customer_id")
        if customer is not None and customer.object_id != record.object_id:
            problems["customer_id"] = REFUSALS["visits_visit_customer_of_object"][1]
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
