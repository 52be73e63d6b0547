"""The web process: the product as it is, with the workers' times."""

from crm.wsgi import application
from tests.chaos.deployment import TIMES
from tests.jobs.workers import keep_times

keep_times(*TIMES)

__all__ = ["application"]
