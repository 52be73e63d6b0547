"""Remove the files of expired reports."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports.cleanup import clean_up
from reports.storing import StorageAway


class Command(BaseCommand):
    """`manage.py reports_cleanup`; workers do the same by themselves, every hour."""

    help = "Remove the files of reports after 7 days, and what interrupted exports left behind."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cleaned = clean_up()
        except StorageAway as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.stdout.write(
                f"Removed: {cleaned.expired} expired reports, {cleaned.unfinished} unfinished files, "
                f"{cleaned.ownerless} files that no report refers to."
            )
