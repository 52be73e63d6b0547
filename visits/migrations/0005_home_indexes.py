"""What the home page and the list of call-backs count, they count in indexes alone.

The new ones come first: no query is without an index meanwhile.
"""

from django.db import migrations, models

from crm.db.operations import AddIndexWhileInUse, RemoveIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("visits", "0004_counting_indexes")]
    operations = [
        AddIndexWhileInUse(
            model_name="visit",
            index=models.Index(
                fields=["scheduled_at", "id", "status", "engineer", "object"],
                name="visits_visit_scheduled",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
        RemoveIndexWhileInUse(model_name="visit", name="visits_visit_scheduled_at"),
        AddIndexWhileInUse(
            model_name="visit",
            index=models.Index(
                fields=["next_action_due_at", "id", "object"],
                name="visits_visit_promised",
                condition=models.Q(deleted_at__isnull=True, next_action_due_at__isnull=False),
            ),
        ),
    ]
