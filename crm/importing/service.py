"""Imports as the pages run them: look, guess, check, run.

sheet = open_upload(file)
mapping = guess("customers", sheet)             # a person corrects it
checked = check("customers", sheet, mapping, user=user, on_row=show)     # writes nothing
report = run("customers", sheet, mapping, user=user, basis=checked.basis)
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from django.db import reset_queries, transaction

from crm.errors import Forbidden
from crm.importing import sheet as sheets
from crm.importing.basis import Basis
from crm.importing.guessing import ColumnMapping
from crm.importing.kinds import KINDS, ImportKind, Options, Task
from crm.importing.outcomes import RowResult, Totals
from crm.importing.rows import in_batches
from crm.importing.sheet import Sheet

if TYPE_CHECKING:
    from crm.users.models import User

# Rows in memory at a time, each with its snapshots before and after; and rows of one transaction.
BATCH = 250

OnRow = Callable[[RowResult], object]
OnBatch = Callable[[Sequence[RowResult]], object]
# Told the rows done so far; the answer False, and no other, ends the work after them.
OnProgress = Callable[[int], object]


def _ignore(_: object) -> None:
    pass


@dataclass(slots=True)
class Checked:
    """What a dry run came to."""

    totals: Totals = field(default_factory=Totals)
    basis: Basis = field(default_factory=Basis)
    stopped: bool = False


@dataclass(slots=True)
class Report:
    """What a run came to, of the rows that it wrote. `stopped`: it was asked to end early."""

    totals: Totals = field(default_factory=Totals)
    stopped: bool = False


def open_upload(
    file: BinaryIO, *, sheet: str | None = None, header_line: int | None = None
) -> Sheet:
    """See crm.importing.sheet.open_upload. Raises BrokenFileError."""
    fields = [kind.fields for kind in KINDS.values()]
    return sheets.open_upload(file, kinds=fields, sheet=sheet, header_line=header_line)


def guess(kind: str, sheet: Sheet) -> ColumnMapping:
    """Which column holds which field.

    See also `mapping.unknown(sheet.header)` and `KINDS[kind].fields.missing(mapping)`.
    """
    return KINDS[kind].fields.guess(sheet.header, sheet.sample)


def plan(
    kind: str,
    sheet: Sheet,
    mapping: ColumnMapping,
    *,
    user: "User",
    options: Options = Options(),  # noqa: B008 - frozen
) -> Iterator[RowResult]:
    """What would become of each row, one after the other, in flat memory. Writes and locks nothing.

    Raises BrokenFileError before the first row for a mapping that does not fit, and later where the
    file turns out to be damaged.
    """
    chosen = _fitting(kind, sheet, mapping)
    return _planned(chosen, sheet, Task(user, mapping.columns(chosen.fields.specs), options))


def _planned(kind: ImportKind, sheet: Sheet, task: Task) -> Iterator[RowResult]:
    with kind.begin(task) as importer:
        for batch in in_batches(sheet.table().rows, BATCH):
            yield from importer.plan(batch)
            # With DEBUG, Django keeps the text of each statement.
            reset_queries()


def check(
    kind: str,
    sheet: Sheet,
    mapping: ColumnMapping,
    *,
    user: "User",
    options: Options = Options(),  # noqa: B008 - frozen
    on_row: OnRow = _ignore,
    on_progress: OnProgress = _ignore,
) -> Checked:
    """The whole dry run: each row to `on_row`, the totals, the basis to run on. Raises BrokenFileError."""
    checked = Checked()
    for row in plan(kind, sheet, mapping, user=user, options=options):
        checked.totals.note(row)
        checked.basis.note(row)
        on_row(row)
        if checked.totals.rows % BATCH == 0 and on_progress(checked.totals.rows) is False:
            checked.stopped = True
            return checked
    on_progress(checked.totals.rows)
    return checked


def run(
    kind: str,
    sheet: Sheet,
    mapping: ColumnMapping,
    *,
    user: "User",
    options: Options = Options(),  # noqa: B008 - frozen
    basis: Basis | None = None,
    done_until: int = 0,
    on_batch: OnBatch = _ignore,
    on_row: OnRow = _ignore,
    on_progress: OnProgress = _ignore,
) -> Report:
    """Bring the rows into the database, a batch in a transaction, its audit with it.

    The file is read through once before the first row is written: a damaged one changes nothing.
    `on_batch` is called inside the batch's transaction, which what it raises takes back; `on_row` and
    `on_progress` when it is committed. When one of them raises, or the work ends early, what is committed
    stays; the same run again finds it unchanged and does the rest. `done_until`: the last line of the last
    batch that a run before has committed; up to there nothing is written, and nothing told but progress.
    `basis` (of `check`): fields that others changed since are reported, not overwritten; without it the
    file wins. The user is looked at anew for each batch: a lost role or territory takes effect at once.

    Raises BrokenFileError, and Forbidden when the user is deactivated meanwhile.
    """
    chosen = _fitting(kind, sheet, mapping)
    sheet.count_rows()
    report, seen = Report(), 0
    task = Task(user, mapping.columns(chosen.fields.specs), options, basis)
    with chosen.begin(task) as importer:
        for batch in in_batches(sheet.table().rows, BATCH):
            if batch[-1].line <= done_until:
                # For what it remembers of the rows: those below may repeat them.
                importer.plan(batch)
            else:
                with transaction.atomic():
                    _look_anew(user)
                    rows = importer.apply(batch)
                    on_batch(rows)
                for row in rows:
                    report.totals.note(row)
                    on_row(row)
            seen += len(batch)
            reset_queries()
            if on_progress(seen) is False:
                report.stopped = True
                break
    return report


def _fitting(kind: str, sheet: Sheet, mapping: ColumnMapping) -> ImportKind:
    chosen = KINDS[kind]
    chosen.fields.refuse_unfit(mapping, width=len(sheet.header))
    return chosen


def _look_anew(user: "User") -> None:
    user.refresh_from_db()
    if not user.is_active:
        raise Forbidden
