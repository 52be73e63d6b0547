"""SQLite's feed clock: one row whose counter stamps each written record. PostgreSQL has transaction ids."""

from typing import ClassVar

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = []
    operations: ClassVar = [FrozenSQL(__file__, "0001_feed_clock")]
