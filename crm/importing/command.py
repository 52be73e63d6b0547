"""What the import commands have in common: the file, the progress bar, the list of errors, the words."""

import sys
from abc import abstractmethod
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _
from tqdm import tqdm

from crm.importing.errors_file import ErrorsFile
from crm.importing.reading import open_table
from crm.importing.rows import RowProblem
from crm.importing.table import BrokenFileError, Table


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows came to what, and how many flats are new."""

    rows: int
    created: int
    updated: int
    unchanged: int
    reported: int
    units: int


class ImportCommand(BaseCommand):
    """Reads the file, tells what became of its rows, and leaves FILE.errors.csv for those left out."""

    # The checks import every view; the import needs none of them, and has little memory to spend.
    requires_system_checks: list[str] = []

    # What `--map` may look like, and the fields that it may name.
    example: str
    field_names: tuple[str, ...]

    @abstractmethod
    def import_table(
        self,
        table: Table,
        options: dict[str, Any],
        *,
        on_problem: Callable[[RowProblem], None],
        on_progress: Callable[[int], None],
    ) -> Counts:
        """Bring the rows in. Raises BrokenFileError, CommandError, DatabaseError."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--map",
            default="",
            metavar="FIELD=COLUMN,…",
            help=f"columns by name, e.g. {self.example}. Fields: {', '.join(self.field_names)}",
        )
        parser.add_argument("--city", metavar="NAME", help="the city of rows that name none")
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would happen, write nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            counts, errors = self._import(path, options)
        except (BrokenFileError, OSError) as error:
            sentence = _("Nothing was imported from %(file)s: %(why)s")
            raise CommandError(sentence % {"file": path, "why": _why(error)}) from error
        except DatabaseError as error:
            sentence = _("Nothing was imported from %(file)s: the database refused (%(why)s).")
            raise CommandError(sentence % {"file": path, "why": error}) from error
        self._tell(counts, errors, dry_run=options["dry_run"])

    def _import(self, path: Path, options: dict[str, Any]) -> tuple[Counts, Path | None]:
        with path.open("rb") as file:
            table = open_table(file)
            with (
                ErrorsFile(path, table.header) as errors,
                tqdm(total=table.about or None, file=sys.stderr, disable=None, unit=" rows") as bar,
            ):

                def on_progress(rows: int) -> None:
                    bar.update(rows)

                counts = self.import_table(
                    table, options, on_problem=errors.add, on_progress=on_progress
                )
                return counts, errors.keep()

    def _tell(self, counts: Counts, errors: Path | None, *, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write(_("Dry run: nothing was written."))
        self.stdout.write(
            _(
                "Rows: %(rows)d. Created: %(created)d. Updated: %(updated)d. Unchanged: %(unchanged)d."
                " Not imported: %(reported)d. New units: %(units)d."
            )
            % {
                "rows": counts.rows,
                "created": counts.created,
                "updated": counts.updated,
                "unchanged": counts.unchanged,
                "reported": counts.reported,
                "units": counts.units,
            }
        )
        if errors:
            self.stdout.write(
                _("What is wrong with the rows that were not imported: %(path)s") % {"path": errors}
            )


def _why(error: BrokenFileError | OSError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
