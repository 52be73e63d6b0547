"""Begin a new life of the feed: every phone starts over."""

from typing import Any

from django.core.management.base import BaseCommand

from sync.epoch import begin_epoch


class Command(BaseCommand):
    """`manage.py sync_new_epoch`, after a database file or a snapshot of a disk was put back."""

    help = (
        "Tell every phone to start over (their unsent edits stay). Needed after a database file or a disk "
        "snapshot was put back; a restored PostgreSQL dump and a recovery are noticed without it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        state = begin_epoch()
        if options["verbosity"]:
            self.stdout.write(f"The feed is in its life number {state.counter}.")
