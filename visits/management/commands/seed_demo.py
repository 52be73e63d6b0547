"""`manage.py seed_demo`: a believable company to try the product with."""

import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from tqdm import tqdm

from crm.users.models import User
from visits.demo.accounts import ACCOUNTS
from visits.demo.town import prepare_town
from visits.demo.writer import Written, write_town

DEFAULT_OBJECTS = 300


def not_negative(value: str) -> int:
    """A whole number from 0 on. Raises ArgumentTypeError otherwise."""
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from 0 on")
    return int(value)


def iso_day(value: str) -> date:
    """A day as YYYY-MM-DD. Raises ArgumentTypeError otherwise."""
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is not a day like 2026-03-31") from error


class Command(BaseCommand):
    """Safe to repeat: houses and accounts that exist stay as they are."""

    help = "Create demo accounts and believable Russian data. The same seed gives the same data."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--objects", type=not_negative, default=DEFAULT_OBJECTS, metavar="N",
            help="how many objects, each with about 2 customers and 2 visits (default %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--seed",
            type=not_negative,
            default=1,
            metavar="S",
            help="which town (default %(default)s)",
        )
        parser.add_argument(
            "--base-date", type=iso_day, default=None, metavar="YYYY-MM-DD",
            help="the day that past and planned visits lie around (default today)",
        )  # fmt: skip

        parser.add_argument(
            "--untold",
            action="store_true",
            help="leave the audit trail out: for load tests, where entries would be most of the work",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count: int = options["objects"]
        base_day: date = options["base_date"] or timezone.localdate()
        town, created = prepare_town(seed=options["seed"], base_day=base_day)
        # disable=None: a bar for people only, not in log files.
        with tqdm(
            total=count, unit=" objects", disable=True if options["verbosity"] == 0 else None
        ) as bar:
            written = write_town(town, count, on_progress=bar.update, told=not options["untold"])
        if options["verbosity"] > 0:
            self._tell(written, created)

    def _tell(self, written: Written, created: list[User]) -> None:
        self.stdout.write(
            _(
                "Created %(objects)d objects, %(units)d units, %(customers)d customers, %(visits)d visits."
            )
            % {
                "objects": written.objects,
                "units": written.units,
                "customers": written.customers,
                "visits": written.visits,
            }
        )
        if written.already_there:
            self.stdout.write(
                _("%(count)d objects were there already.") % {"count": written.already_there}
            )
        new_emails = {user.email for user in created}
        self.stdout.write(_("Demo accounts:"))
        for account in ACCOUNTS:
            secret = (
                account.password
                if account.email in new_emails
                else _("existed, password unchanged")
            )
            where = ", ".join(filter(None, (account.city, account.district)))
            self.stdout.write(
                f"  {account.email:<30} {secret:<16} {account.role.label} {where}".rstrip()
            )
