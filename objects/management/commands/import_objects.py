"""`manage.py import_objects FILE`: objects from a table."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from crm.importing.command import Counts, ImportCommand
from crm.importing.rows import RowProblem
from crm.importing.table import Table
from objects.importing.columns import Field, parse_mapping
from objects.importing.places import city_for_command
from objects.importing.service import import_objects
from objects.models import ObjectType


class Command(ImportCommand):
    """Objects, and flats where a column counts them."""

    help = (
        "Create and update objects from CSV (plain or gzip; ; , or tab; UTF-8, UTF-16 or Windows-1251)"
        " or XLSX. Rows match objects by their address within the city. Rows that cannot be imported are"
        " listed in FILE.errors.csv. A broken file changes nothing."
    )
    example = "address=ADDRESS,gps_lat=LAT"
    field_names = tuple(field.value for field in Field)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
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

    def import_table(
        self,
        table: Table,
        options: dict[str, Any],
        *,
        on_problem: Callable[[RowProblem], None],
        on_progress: Callable[[int], None],
    ) -> Counts:
        mapping = parse_mapping(options["map"])
        if options["units_from"]:
            mapping[Field.UNITS] = options["units_from"]
        result = import_objects(
            actor=None,
            table=table,
            mapping=mapping,
            city=city_for_command(options["city"]),
            default_type=options["type"],
            on_problem=on_problem,
            on_progress=on_progress,
            dry_run=options["dry_run"],
        )
        return Counts(
            rows=result.rows,
            created=result.created,
            updated=result.updated,
            unchanged=result.unchanged,
            reported=result.reported,
            units=result.units_created,
        )
