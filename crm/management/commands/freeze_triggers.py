"""Write the frozen trigger SQL of an app's migrations from its tables' descriptions."""

from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.db.triggers.freezing import Freeze


class Command(BaseCommand):
    """`manage.py freeze_triggers objects 0002_kept`."""

    help = "Write the SQL files of a migration that keeps tables by triggers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("module", help="the app's dotted path, for example crm.territory")
        parser.add_argument("name", help="the migration's name, for example 0002_kept")

    def handle(self, *args: Any, **options: Any) -> None:
        frozen: list[Freeze] = import_module(f"{options['module']}.kept").FROZEN
        chosen = [freeze for freeze in frozen if freeze.name == options["name"]]
        if not chosen:
            raise CommandError(f"{options['module']}.kept has no {options['name']}.")
        for path, text in chosen[0].files().items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self.stdout.write(path.name)
