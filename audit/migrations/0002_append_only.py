"""Triggers that refuse to change or delete entries, and the gate for pruning."""

from typing import ClassVar

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0001_initial")]
    operations: ClassVar = [FrozenSQL(__file__, "0002_append_only")]
