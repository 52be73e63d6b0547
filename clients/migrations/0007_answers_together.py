"""PostgreSQL learns which answers customers give together."""

from django.db import migrations

from crm.db.operations import FrozenSQL


class Migration(migrations.Migration):
    dependencies = [("clients", "0006_answers_index")]
    operations = [FrozenSQL(__file__, "0007_answers_together")]
