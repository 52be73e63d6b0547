"""How many refused edits wait stands on every page: they are counted in an index of those alone."""

from django.db import migrations, models

from crm.db.operations import AddIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0003_push")]
    operations = [
        AddIndexWhileInUse(
            model_name="refuseditem",
            index=models.Index(
                fields=["city", "refused_at"],
                name="sync_refused_open",
                condition=models.Q(dealt_with_at__isnull=True),
            ),
        ),
    ]
