"""Triggers that keep cities and districts."""

from typing import ClassVar

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("territory", "0001_initial"),
        ("users", "0001_initial"),
        ("crm", "0001_feed_clock"),
    ]
    operations: ClassVar = [FrozenSQL(__file__, "0002_kept")]
