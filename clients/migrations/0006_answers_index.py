"""What customers answered: counted, and told to be never met together, from one index."""

from django.db import migrations, models

from crm.db.operations import AddIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("clients", "0005_storage")]
    operations = [
        AddIndexWhileInUse(
            model_name="customer",
            index=models.Index(
                fields=["provider_rating", "satisfied", "gdpr_consent"],
                name="clients_customer_answers",
                condition=models.Q(deleted_at__isnull=True),
            ),
        ),
    ]
