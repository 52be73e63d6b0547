"""Indexes that counting can stay inside of, in place of those on the same first column.

The old one goes when the new one is there: no query is without an index meanwhile.
"""

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from crm.db.operations import AddIndexWhileInUse, RemoveIndexWhileInUse


def exchanged(model: str, index: models.Index) -> list[Operation]:
    """Put an index in the place of the one that has its name."""
    old = f"{index.name}_old"
    return [
        migrations.RenameIndex(model_name=model, new_name=old, old_name=index.name),
        AddIndexWhileInUse(model_name=model, index=index),
        RemoveIndexWhileInUse(model_name=model, name=old),
    ]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("objects", "0003_search_and_map_indexes")]
    operations = [
        *exchanged(
            "object",
            models.Index(fields=["city", "id"], name="objects_object_city"),
        ),
        *exchanged(
            "object",
            models.Index(fields=["district", "id"], name="objects_object_district"),
        ),
        *exchanged(
            "object",
            models.Index(
                fields=["status"],
                name="objects_object_status",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
        *exchanged(
            "unit",
            models.Index(fields=["object", "deleted_at"], name="objects_unit_object"),
        ),
    ]
