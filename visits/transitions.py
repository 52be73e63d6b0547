"""The status rules of visits, as pure functions."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class VisitStatus(TextChoices):
    """Where a visit stands."""

    PLANNED = "PLANNED", _("planned")
    IN_PROGRESS = "IN_PROGRESS", _("in progress")
    DONE = "DONE", _("done")
    CANCELLED = "CANCELLED", _("cancelled")


FORWARD: dict[VisitStatus, tuple[VisitStatus, ...]] = {
    VisitStatus.PLANNED: (VisitStatus.IN_PROGRESS, VisitStatus.DONE, VisitStatus.CANCELLED),
    VisitStatus.IN_PROGRESS: (VisitStatus.DONE, VisitStatus.CANCELLED),
    VisitStatus.DONE: (),
    VisitStatus.CANCELLED: (),
}


def allowed_moves(status: str, *, may_reopen: bool) -> tuple[VisitStatus, ...]:
    """The statuses that a visit may move to from `status`; reopening is not for engineers."""
    current = VisitStatus(status)
    if not FORWARD[current] and may_reopen:
        return (VisitStatus.PLANNED,)
    return FORWARD[current]


def may_move(status: str, target: str, *, may_reopen: bool) -> bool:
    """Whether `status` → `target` is a move at all; staying is always allowed."""
    return status == target or target in allowed_moves(status, may_reopen=may_reopen)
