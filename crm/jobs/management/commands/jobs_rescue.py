"""Put lost jobs again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from crm.jobs.rescue import rescue


class Command(BaseCommand):
    """`manage.py jobs_rescue`; workers do the same by themselves, every 15 seconds."""

    help = "Put background jobs again whose worker is gone, or of which the queue no longer knows."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = rescue()
        except (RedisError, OSError) as error:
            raise CommandError("The queue does not answer.") from error
        if options["verbosity"]:
            self.stdout.write(f"Put again: {found} jobs.")
