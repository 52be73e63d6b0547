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
    dependencies = [("clients", "0003_search_indexes")]
    operations = [
        *exchanged(
            "customer",
            models.Index(fields=["object", "deleted_at"], name="clients_customer_object"),
        ),
    ]
