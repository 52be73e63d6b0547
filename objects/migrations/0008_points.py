"""An index of points that no coordinates can break, in place of the one that some could."""

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("objects", "0007_storage")]
    operations = [FrozenSQL(__file__, "0008_points")]
