"""Indexes that counting can stay inside of, in place of those on the same first column."""

from django.db import migrations, models

from crm.db.operations import ExchangeIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("objects", "0003_search_and_map_indexes")]
    operations = [
        ExchangeIndexWhileInUse(
            "object",
            models.Index(fields=["city", "id"], name="objects_object_city"),
        ),
        ExchangeIndexWhileInUse(
            "object",
            models.Index(fields=["district", "id"], name="objects_object_district"),
        ),
        ExchangeIndexWhileInUse(
            "object",
            models.Index(
                fields=["status"],
                name="objects_object_status",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
        ExchangeIndexWhileInUse(
            "unit",
            models.Index(fields=["object", "deleted_at"], name="objects_unit_object"),
        ),
    ]
