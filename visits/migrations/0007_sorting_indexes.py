"""Sorted by what most visits do not have, they tie: with the id the index tells their order, too."""

from django.db import migrations, models

from crm.db.operations import ExchangeIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("visits", "0006_storage")]
    operations = [
        ExchangeIndexWhileInUse(
            "visit",
            models.Index(fields=["finished_at", "id"], name="visits_visit_finished_at"),
        ),
        ExchangeIndexWhileInUse(
            "visit",
            models.Index(
                fields=["next_action_due_at", "id"],
                name="visits_visit_next_action",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
    ]
