"""Where accounts have logged in, as keyed hashes."""

from typing import ClassVar

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("users", "0002_kept")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="KnownPlace",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "known place",
                "verbose_name_plural": "known places",
                "indexes": [models.Index(fields=["seen_at"], name="users_knownplace_seen_at")],
            },
        ),
    ]
