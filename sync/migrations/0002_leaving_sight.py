"""Triggers that note who loses sight of what, and send what moves to another territory again."""

from typing import ClassVar

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("sync", "0001_initial"),
        ("objects", "0002_kept"),
        ("clients", "0002_kept"),
        ("visits", "0002_kept"),
    ]
    operations: ClassVar = [FrozenSQL(__file__, "0002_leaving_sight")]
