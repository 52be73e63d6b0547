"""`manage.py import_objects FILE`: objects from a table."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _
from tqdm import tqdm

from crm.importing.errors_file import ErrorsFile
from crm.importing.reading import open_table
from crm.importing.rows import RowProblem
from crm.importing.table import BrokenFileError
from crm.territory.models import City
from objects.importing.columns import Field, parse_mapping
from objects.importing.places import Places
from objects.importing.service import ImportResult, import_objects
from objects.models import ObjectType


class Command(BaseCommand):
    """Reads the file, tells what became of its rows, and leaves FILE.errors.csv for those left out."""

    help = (
        "Create and update objects from CSV (plain or gzip; ; , or tab; UTF-8, UTF-16 or Windows-1251)"
        " or XLSX. Rows match objects by their address within the city. Rows that cannot be imported are"
        " listed in FILE.errors.csv. A broken file changes nothing."
    )
    # The checks import every view; the import needs none of them, and has little memory to spend.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--map",
            default="",
            metavar="FIELD=COLUMN,…",
            help="columns by name, e.g. address=ADDRESS,gps_lat=LAT. Fields: "
            + ", ".join(field.value for field in Field),
        )
        parser.add_argument("--city", metavar="NAME", help="the city of rows that name none")
        parser.add_argument(
            "--type",
            default=ObjectType.MKD,
            choices=ObjectType.values,
            help="the type of new objects whose row names none (default: MKD)",
        )
        parser.add_argument(
            "--units-from",
            metavar="COLUMN",
            help="create the units 1 to n, n being the number in this column",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would happen, write nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            mapping = parse_mapping(options["map"])
            if options["units_from"]:
                mapping[Field.UNITS] = options["units_from"]
            result, errors = self._import(
                path,
                mapping,
                city=_city(options["city"]),
                default_type=options["type"],
                dry_run=options["dry_run"],
            )
        except (BrokenFileError, OSError) as error:
            sentence = _("Nothing was imported from %(file)s: %(why)s")
            raise CommandError(sentence % {"file": path, "why": _why(error)}) from error
        except DatabaseError as error:
            sentence = _("Nothing was imported from %(file)s: the database refused (%(why)s).")
            raise CommandError(sentence % {"file": path, "why": error}) from error
        self._tell(result, errors, dry_run=options["dry_run"])

    def _import(
        self,
        path: Path,
        mapping: dict[Field, str],
        *,
        city: City | None,
        default_type: str,
        dry_run: bool,
    ) -> tuple[ImportResult, Path | None]:
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

                result = import_objects(
                    actor=None,
                    table=table,
                    mapping=mapping,
                    city=city,
                    default_type=default_type,
                    on_problem=on_problem,
                    on_progress=on_progress,
                    dry_run=dry_run,
                )
                return result, errors.keep()

    def _tell(self, result: ImportResult, errors: Path | None, *, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write(_("Dry run: nothing was written."))
        self.stdout.write(
            _(
                "Rows: %(rows)d. Created: %(created)d. Updated: %(updated)d. Unchanged: %(unchanged)d."
                " Not imported: %(reported)d. New units: %(units)d."
            )
            % {
                "rows": result.rows,
                "created": result.created,
                "updated": result.updated,
                "unchanged": result.unchanged,
                "reported": result.reported,
                "units": result.units_created,
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
