"""The import of objects: one service for the command, the pages and the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import reset_queries, transaction

from crm.importing.columns import Columns
from crm.importing.kinds import Options, Task
from crm.importing.outcomes import Outcome, RowResult
from crm.importing.rows import RowProblem, in_batches
from crm.importing.table import Row, Table
from crm.territory.models import City
from crm.users.models import User
from objects.importing.columns import Field, find_columns
from objects.importing.importer import begin
from objects.models import ObjectType

# Rows in memory at a time, each with its snapshots before and after.
BATCH = 250


@dataclass(slots=True)
class ImportResult:
    """How many rows were created, updated, left as they were and left out; and new units."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    reported: int = 0
    units_created: int = 0

    @property
    def rows(self) -> int:
        """All rows of data."""
        return self.created + self.updated + self.unchanged + self.reported

    def note(self, row: RowResult) -> None:
        """Count one row; one that repeats a line above changes nothing either."""
        self.created += row.outcome == Outcome.CREATE
        self.updated += row.outcome == Outcome.UPDATE
        self.unchanged += row.outcome in (Outcome.UNCHANGED, Outcome.REPEAT)
        self.reported += row.outcome == Outcome.PROBLEM
        self.units_created += row.new_units


def import_objects(
    *,
    actor: User | None,
    table: Table,
    mapping: Mapping[Field, str],
    city: City | None = None,
    default_type: str = ObjectType.MKD,
    on_problem: Callable[[RowProblem], None],
    on_progress: Callable[[int], None] = lambda _: None,
    dry_run: bool = False,
) -> ImportResult:
    """Bring the rows of a table into the database: all in one transaction, or nothing.

    A row is created, updates the object with the same normal address in its city (only in fields
    that it fills in, never in the address), changes nothing, or is handed to `on_problem`. Of rows
    with one address the first counts; a later one that says the same changes nothing, one that says
    something else is a problem, because nobody knows which of them is right.

    `actor` None is the operator at the command line. A person imports what they may create and
    edit by hand: other objects are not matched, places outside their territory are problems.
    `city` is the city of rows that name none; such a row whose address names another settlement is
    a problem. `mapping` is field → column name. `on_progress` is told the rows done since the last
    call. `dry_run` tells the same and writes nothing.

    Raises BrokenFileError, and then nothing was changed.
    """
    columns: Columns = find_columns(table.header, mapping)
    options = Options(city_id=city.pk if city else None, default_type=default_type)
    result = ImportResult()
    with transaction.atomic(), begin(Task(actor, columns, options), brief=True) as work:
        for batch in in_batches(table.rows, BATCH):
            done = work.plan(batch) if dry_run else work.apply_at_once(batch)
            for row in done:
                result.note(row)
                if row.outcome == Outcome.PROBLEM:
                    cells = Row(row.line, list(row.cells))
                    on_problem(RowProblem(cells, [str(each) for each in row.sentences]))
            on_progress(len(batch))
            # With DEBUG, Django keeps the text of each statement: a batch's is a megabyte.
            reset_queries()
    return result
