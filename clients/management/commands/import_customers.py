"""`manage.py import_customers FILE`: customers from a table."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _
from tqdm import tqdm

from clients.importing.columns import SPECS
from clients.importing.service import import_customers
from crm.importing.columns import parse_mapping
from crm.importing.errors_file import ErrorsFile
from crm.importing.outcomes import Outcome, Totals
from crm.importing.reading import open_table
from crm.importing.rows import RowProblem
from crm.importing.table import BrokenFileError
from crm.territory.models import City
from objects.importing.places import Places


class Command(BaseCommand):
    """Reads the file, tells what became of its rows, and leaves FILE.errors.csv for those left out."""

    help = (
        "Create and update customers from CSV (plain or gzip; ; , or tab; UTF-8, UTF-16 or"
        " Windows-1251) or XLSX. A row names a building by its address within the city, and a customer by"
        " phone, or by name within the unit. Units that are not there are created, objects are not. Rows"
        " that cannot be imported are listed in FILE.errors.csv. A broken file changes nothing."
    )
    # The checks import every view; the import needs none of them, and has little memory to spend.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--map",
            default="",
            metavar="FIELD=COLUMN,…",
            help="columns by name, e.g. address=ADDRESS,full_name=NAME. Fields: "
            + ", ".join(spec.name for spec in SPECS),
        )
        parser.add_argument("--city", metavar="NAME", help="the city of rows that name none")
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would happen, write nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        city = _city(options["city"])
        try:
            totals, errors = self._import(
                path, parse_mapping(options["map"], SPECS), city=city, dry_run=options["dry_run"]
            )
        except (BrokenFileError, OSError) as error:
            sentence = _("Nothing was imported from %(file)s: %(why)s")
            raise CommandError(sentence % {"file": path, "why": _why(error)}) from error
        except DatabaseError as error:
            sentence = _("Nothing was imported from %(file)s: the database refused (%(why)s).")
            raise CommandError(sentence % {"file": path, "why": error}) from error
        self._tell(totals, errors, dry_run=options["dry_run"])

    def _import(
        self, path: Path, mapping: dict[str, str], *, city: City | None, dry_run: bool
    ) -> tuple[Totals, Path | None]:
        with path.open("rb") as file:
            table = open_table(file)
            with (
                ErrorsFile(path, table.header) as errors,
                tqdm(total=table.about or None, file=sys.stderr, disable=None, unit=" rows") as bar,
            ):

                def on_problem(problem: RowProblem) -> None:
                    errors.add(problem)

                def on_progress(rows: int) -> None:
                    bar.update(rows)

                totals = import_customers(
                    actor=None,
                    table=table,
                    mapping=mapping,
                    city=city,
                    on_problem=on_problem,
                    on_progress=on_progress,
                    dry_run=dry_run,
                )
                return totals, errors.keep()

    def _tell(self, totals: Totals, errors: Path | None, *, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write(_("Dry run: nothing was written."))
        counts = totals.counts
        self.stdout.write(
            _(
                "Rows: %(rows)d. Created: %(created)d. Updated: %(updated)d. Unchanged: %(unchanged)d."
                " Not imported: %(reported)d. New units: %(units)d."
            )
            % {
                "rows": totals.rows,
                "created": counts[Outcome.CREATE],
                "updated": counts[Outcome.UPDATE],
                "unchanged": counts[Outcome.UNCHANGED] + counts[Outcome.REPEAT],
                "reported": counts[Outcome.PROBLEM],
                "units": totals.new_units,
            }
        )
        if errors:
            self.stdout.write(
                _("What is wrong with the rows that were not imported: %(path)s") % {"path": errors}
            )


def _city(name: str | None) -> City | None:
    if name is None:
        return None
    try:
        return City.objects.get(pk=Places().city(name))
    except ValueError as error:
        raise CommandError(str(error)) from error


def _why(error: BrokenFileError | OSError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
