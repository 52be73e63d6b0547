"""One index for the map and for boxes, in place of the one on the coordinates alone.

The new one comes first: no query is without an index meanwhile.
"""

from django.db import migrations, models

from crm.db.operations import AddIndexWhileInUse, RemoveIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("objects", "0004_counting_indexes")]
    operations = [
        AddIndexWhileInUse(
            model_name="object",
            index=models.Index(
                fields=[
                    "gps_lat",
                    "gps_lng",
                    "deleted_at",
                    "status",
                    "type",
                    "city",
                    "district",
                    "responsible_user",
                    "last_visit_at",
                ],
                name="objects_object_map",
            ),
        ),
        RemoveIndexWhileInUse(model_name="object", name="objects_object_gps"),
    ]
