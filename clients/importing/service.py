"""The import of customers as one transaction, for the command; pages use crm.importing.service."""

from collections.abc import Callable, Mapping

from django.db import reset_queries, transaction
from django.utils.translation import gettext as _

from clients.importing.columns import FIELDS, SPECS
from clients.importing.importer import begin
from crm.importing.columns import find_columns, listed
from crm.importing.guessing import ColumnMapping
from crm.importing.kinds import Options, Task
from crm.importing.outcomes import Outcome, Totals
from crm.importing.rows import RowProblem, in_batches
from crm.importing.table import BrokenFileError, Row, Table
from crm.territory.models import City
from crm.users.models import User

BATCH = 250


def import_customers(
    *,
    actor: User | None,
    table: Table,
    mapping: Mapping[str, str],
    city: City | None = None,
    on_problem: Callable[[RowProblem], None],
    on_progress: Callable[[int], None] = lambda _: None,
    dry_run: bool = False,
) -> Totals:
    """Bring the rows of a table into the database: all in one transaction, or nothing.

    A row names a building by its address, and a customer by phone; without one, or when nobody has it
    yet, by name within the unit (the whole building, when it names no unit). It creates the customer,
    changes the fields that it fills in, changes nothing, or is handed to `on_problem`. A unit that is
    not there is created, an object is not; nobody is moved to another object.

    `actor` None is the operator at the command line; a person's import meets what they see, and an
    address that names no city lies in theirs. `mapping` is field → column name, `city` the city of rows
    that name none. `on_progress` is told the rows done since the last call. `dry_run` tells the same
    and writes nothing.

    Raises BrokenFileError, and then nothing was changed.
    """
    columns = find_columns(table.header, mapping, SPECS)
    missing = FIELDS.missing(ColumnMapping(tuple(columns.positions)))
    if missing:
        raise BrokenFileError(
            _("No column holds: %(fields)s. Columns of the file: %(columns)s.")
            % {"fields": ", ".join(missing), "columns": listed(table.header)}
        )
    totals = Totals()
    options = Options(city_id=city.pk if city else None)
    with transaction.atomic(), begin(Task(actor, columns, options)) as work:
        for batch in in_batches(table.rows, BATCH):
            for row in work.plan(batch) if dry_run else work.apply(batch):
                totals.note(row)
                if row.outcome == Outcome.PROBLEM:
                    cells = Row(row.line, list(row.cells))
                    on_problem(RowProblem(cells, [str(each) for each in row.sentences]))
            on_progress(len(batch))
            reset_queries()
    return totals
