"""Indexes that counting can stay inside of, in place of those on the same first column."""

from django.db import migrations, models

from crm.db.operations import ExchangeIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("visits", "0003_search_indexes")]
    operations = [
        ExchangeIndexWhileInUse(
            "visit",
            models.Index(
                fields=["engineer", "object"],
                name="visits_visit_engineer",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
        ExchangeIndexWhileInUse(
            "visit",
            models.Index(
                fields=["object"],
                name="visits_visit_object",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
    ]
