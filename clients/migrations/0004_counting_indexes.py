"""Indexes that counting can stay inside of, in place of those on the same first column."""

from django.db import migrations, models

from crm.db.operations import ExchangeIndexWhileInUse


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("clients", "0003_search_indexes")]
    operations = [
        ExchangeIndexWhileInUse(
            "customer",
            models.Index(fields=["object", "deleted_at"], name="clients_customer_object"),
        ),
    ]
