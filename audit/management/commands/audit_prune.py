"""`manage.py audit_prune --older-than 365d`: the only way to delete entries of the trail."""

import argparse
import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from audit.pruning import prune


def days(value: str) -> timedelta:
    """`365d`. Raises ArgumentTypeError for anything else."""
    match = re.fullmatch(r"([0-9]{1,5})d", value.strip())
    if match is None or int(match[1]) < 1:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of days like 365d")
    return timedelta(days=int(match[1]))


class Command(BaseCommand):
    """What it deleted is an entry, too."""

    help = "Delete the audit trail's entries older than so many days. Leaves an entry that says so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=days, required=True, metavar="DAYSd", help="for example 365d"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # disable=None: a bar for people only, not in log files.
        with tqdm(unit=" entries", disable=True if options["verbosity"] == 0 else None) as bar:
            gone = prune(older_than=options["older_than"], on_progress=bar.update)
        if options["verbosity"] > 0:
            self.stdout.write(_("Deleted %(count)d entries.") % {"count": gone})
