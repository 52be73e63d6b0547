"""The feed's own state: one row."""

from typing import ClassVar

from django.db import models


class FeedState(models.Model):
    """Which life of the database this is, and how far back the feed still tells of deletions."""

    # Another database is another life.
    STAYS_BEHIND: ClassVar = True

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # Random: no other installation has it.
    name = models.CharField(max_length=32)
    counter = models.PositiveIntegerField(default=1)
    # What the engine said of itself when this life began.
    identity = models.CharField(max_length=200, default="")
    # Cursors below it have missed deletions that were cleaned up.
    purged_position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}:{self.counter}"
