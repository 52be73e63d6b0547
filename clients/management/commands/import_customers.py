"""`manage.py import_customers FILE`: customers from a table."""

from collections.abc import Callable
from typing import Any

from clients.importing.columns import SPECS
from clients.importing.service import import_customers
from crm.importing.columns import parse_mapping
from crm.importing.command import Counts, ImportCommand
from crm.importing.outcomes import Outcome
from crm.importing.rows import RowProblem
from crm.importing.table import Table
from objects.importing.places import city_for_command


class Command(ImportCommand):
    """Customers, and the flats that they name."""

    help = (
        "Create and update customers from CSV (plain or gzip; ; , or tab; UTF-8, UTF-16 or"
        " Windows-1251) or XLSX. A row names a building by its address within the city, and a customer by"
        " phone, or by name within the unit. Units that are not there are created, objects are not. Rows"
        " that cannot be imported are listed in FILE.errors.csv. A broken file changes nothing."
    )
    example = "address=ADDRESS,full_name=NAME"
    field_names = tuple(spec.name for spec in SPECS)

    def import_table(
        self,
        table: Table,
        options: dict[str, Any],
        *,
        on_problem: Callable[[RowProblem], None],
        on_progress: Callable[[int], None],
    ) -> Counts:
        totals = import_customers(
            actor=None,
            table=table,
            mapping=parse_mapping(options["map"], SPECS),
            city=city_for_command(options["city"]),
            on_problem=on_problem,
            on_progress=on_progress,
            dry_run=options["dry_run"],
        )
        counts = totals.counts
        return Counts(
            rows=totals.rows,
            created=counts[Outcome.CREATE],
            updated=counts[Outcome.UPDATE],
            unchanged=counts[Outcome.UNCHANGED] + counts[Outcome.REPEAT],
            reported=counts[Outcome.PROBLEM],
            units=totals.new_units,
        )
