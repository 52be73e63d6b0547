"""What becomes of a row: in a dry run what would, in a run what did. The words are the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from crm.errors import Sentence


class Outcome(TextChoices):
    """What a row comes to."""

    CREATE = "create", _("new record")
    UPDATE = "update", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    REPEAT = "repeat", _("repeats a line above")
    PROBLEM = "problem", _("not imported")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, as text for a person in their language, masked as they see it."""

    field: str
    label: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.label}: {self.before or '—'} → {self.after or '—'}"


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row.

    line: where it stands in the file. title: whom or what it is about, as the file writes it.
    changes: for a new record all that it is given. sentences: what is wrong, or worth knowing.
    record_id, version: the record that was matched, as it was seen; of a new one its id, once written.
    new_units: flats that it adds.
    """

    line: int
    outcome: Outcome
    title: str
    cells: Sequence[str]
    changes: Sequence[FieldChange] = ()
    sentences: Sequence[Sentence] = ()
    record_id: UUID | None = None
    version: int | None = None
    new_units: int = 0


@dataclass(slots=True)
class Totals:
    """How many rows came to what, and how many flats are new."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    new_units: int = 0

    def note(self, row: RowResult) -> None:
        """Count one row."""
        self.counts[row.outcome] += 1
        self.new_units += row.new_units

    @property
    def rows(self) -> int:
        """All rows of data."""
        return sum(self.counts.values())

    def as_json(self) -> dict[str, int]:
        """For storing with a job: create, update, unchanged, repeat, problem, rows, new_units."""
        by_name = {outcome.value: count for outcome, count in self.counts.items()}
        return by_name | {"rows": self.rows, "new_units": self.new_units}
