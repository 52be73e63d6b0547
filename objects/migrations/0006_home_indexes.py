"""What lists and the home page count objects by, they read from one index alone.

The new one comes first: no query is without an index meanwhile.
"""

from django.db import migrations, models

from crm.db.operations import AddIndexWhileInUse, RemoveIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("objects", "0005_map_index")]
    operations = [
        AddIndexWhileInUse(
            model_name="object",
            index=models.Index(
                fields=["city", "status", "responsible_user"],
                name="objects_object_counted",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
        RemoveIndexWhileInUse(model_name="object", name="objects_object_city_status"),
    ]
