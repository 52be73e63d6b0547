"""Without PostgreSQL's index of points: the one of the map serves every box."""

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("objects", "0007_storage")]
    operations = [FrozenSQL(__file__, "0008_no_points")]
