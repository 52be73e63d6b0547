"""Triggers that keep visits, counters and the ledger of visits."""

from typing import ClassVar

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [("visits", "0001_initial"), ("clients", "0002_kept")]
    operations: ClassVar = [FrozenSQL(__file__, "0002_kept")]
