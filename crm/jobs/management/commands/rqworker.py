"""The queue worker."""

from typing import Any

from django.core.management.base import CommandParser
from django_rq.management.commands.rqworker import Command as RQCommand

from crm.jobs.worker import QUEUES


class Command(RQCommand):
    """`manage.py rqworker`: django-rq's command, on all our queues unless some are named."""

    help = "Do background jobs, until stopped. Any number of workers may run, on any number of machines."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)  # type: ignore[no-untyped-call]
        # A worker that was killed counts as alive until this is over; it says that it lives far more often.
        parser.set_defaults(worker_ttl=60)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*(args or QUEUES), **options)  # type: ignore[no-untyped-call]
