"""The kinds of jobs that there are. Each app registers its own when it is ready; nothing here knows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from crm.changes import Change

if TYPE_CHECKING:
    from crm.jobs.attempts import Attempt

Made = Mapping[str, Any]


def nothing_told(_job: Any) -> Sequence[Change]:
    """A kind whose outcome needs no entry of its own in the trail."""
    return ()


def nothing_made(_job: Any, _made: Made) -> None:
    """A kind that leaves nothing outside of the database."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of job is.

    work(job, attempt): does it, outside of a transaction and in the owner's language; returns the values of
        the job's own columns that tell the outcome. It calls attempt.progress(rows) often; what that raises
        must pass.
    told(job): what the trail is told in the transaction that makes the job done.
    discard(job, made): removes what an attempt made that lost the job at the very end.
    """

    model: Any
    work: Callable[[Any, "Attempt"], Made]
    queue: str = "default"
    told: Callable[[Any], Sequence[Change]] = nothing_told
    discard: Callable[[Any, Made], None] = nothing_made

    @property
    def label(self) -> str:
        """Its name in the queue: reports.ReportJob."""
        return str(self.model._meta.label)


_kinds: Final[dict[str, Kind]] = {}


def register(kind: Kind) -> None:
    """Make a kind known. Call it from an app's `ready`; the last one of a label counts."""
    _kinds[kind.label] = kind


def kinds() -> list[Kind]:
    """All of them."""
    return list(_kinds.values())


def kind_of(label: str) -> Kind:
    """The kind of that label. Raises KeyError for an unknown one."""
    return _kinds[label]
