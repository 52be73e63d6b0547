"""The log of ended sight, and the feed's own state."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = []
    operations: ClassVar = [
        migrations.CreateModel(
            name="FeedState",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=32)),
                ("counter", models.PositiveIntegerField(default=1)),
                ("identity", models.CharField(default="", max_length=200)),
                ("purged_position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Loss",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("object_id", models.UUIDField()),
                ("visit_id", models.UUIDField(null=True)),
                ("user_id", models.UUIDField(null=True)),
                ("city_id", models.UUIDField(null=True)),
                ("district_id", models.UUIDField(null=True)),
                ("began", models.BigIntegerField(default=0)),
                ("position", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user_id", "position"], name="sync_loss_user"),
                    models.Index(
                        condition=Q(("city_id__isnull", False)),
                        fields=["city_id", "position"],
                        name="sync_loss_city",
                    ),
                    models.Index(
                        condition=Q(("district_id__isnull", False)),
                        fields=["district_id", "position"],
                        name="sync_loss_district",
                    ),
                    models.Index(fields=["object_id", "position"], name="sync_loss_object"),
                    models.Index(fields=["at"], name="sync_loss_at"),
                ],
            },
        ),
    ]
