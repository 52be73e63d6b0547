"""PostgreSQL's index for the search of units."""

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("objects", "0008_no_points")]
    operations = [FrozenSQL(__file__, "0009_unit_words")]
