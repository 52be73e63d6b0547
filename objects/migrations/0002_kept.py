"""Triggers that keep objects, units and the ledger of responsibility."""

from typing import ClassVar

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("objects", "0001_initial"),
        ("crm", "0001_feed_clock"),
        ("territory", "0002_kept"),
        ("users", "0002_kept"),
    ]
    operations: ClassVar = [FrozenSQL(__file__, "0002_kept")]
