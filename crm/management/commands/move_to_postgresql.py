"""Take a SQLite installation over to PostgreSQL."""

from typing import Any

import environ
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections

from crm.db.moving import NotMoved, move
from crm.users.models import User

TARGET = "target"


class Command(BaseCommand):
    """`manage.py move_to_postgresql postgres://user:password@host:5432/name`, with the web server stopped."""

    help = (
        "Copy everything from the SQLite database of DATABASE_URL into an empty PostgreSQL database: every "
        "row with its id, version, times and password hash, compared value by value afterwards. All or "
        "nothing arrives; the SQLite file stays as it is. Phones notice and synchronise anew, keeping their "
        "unsent edits. Stop the web server and the workers first, set DATABASE_URL to the new database after."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="The PostgreSQL database, as in DATABASE_URL.")

    def handle(self, *args: Any, **options: Any) -> None:
        connect(options["url"])
        try:
            count = self.moved(options["verbosity"])
        except (NotMoved, DatabaseError) as error:
            raise CommandError(f"Nothing was moved. {str(error).strip()}") from error
        finally:
            connections[TARGET].close()
            del connections[TARGET]
            del connections.settings[TARGET]
        if options["verbosity"]:
            self.stdout.write(
                f"{count} rows moved and compared. Set DATABASE_URL to the new database and start; "
                "phones will start over by themselves."
            )

    def moved(self, verbosity: int) -> int:
        """Bring the target's schema up to date and copy. Raises NotMoved."""
        call_command("migrate", database=TARGET, verbosity=0, interactive=False)
        if User.objects.using(TARGET).exists():
            raise NotMoved("The target has people in it: only an empty database is moved into.")

        def told(table: str, rows: int) -> None:
            if verbosity:
                self.stdout.write(f"{table:<40} {rows:>10}")

        return move(source="default", target=TARGET, told=told)


def connect(url: str) -> None:
    """Name the database of `url` as a connection of this process. Raises CommandError."""
    described = (
        environ.Env.db_url_config(url) if url.startswith(("postgres:", "postgresql:")) else {}
    )
    if not described:
        raise CommandError(
            "The address of a PostgreSQL database is expected: postgres://user:password@host/name"
        )
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        raise CommandError(
            "DATABASE_URL does not name a SQLite database: there is nothing to move."
        )
    connections.settings = connections.configure_settings(
        {**connections.settings, TARGET: dict(described)}
    )
