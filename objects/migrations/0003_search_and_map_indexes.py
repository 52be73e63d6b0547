"""PostgreSQL's indexes for search, map and tags."""

from typing import ClassVar

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [("objects", "0002_kept")]
    operations: ClassVar = [FrozenSQL(__file__, "0003_search_and_map_indexes")]
