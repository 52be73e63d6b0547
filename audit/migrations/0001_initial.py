"""The entries of the trail."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import crm.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("action", models.CharField(max_length=16, verbose_name="action")),
                ("entity_type", models.CharField(max_length=32, verbose_name="entity")),
                ("entity_id", models.UUIDField(null=True, verbose_name="record")),
                ("version", models.PositiveIntegerField(null=True, verbose_name="version")),
                ("city_id", models.UUIDField(null=True, verbose_name="city")),
                (
                    "actor_name",
                    models.CharField(max_length=200, null=True, verbose_name="actor's name"),
                ),
                (
                    "before",
                    models.JSONField(db_column="before_json", null=True, verbose_name="before"),
                ),
                (
                    "after",
                    models.JSONField(db_column="after_json", null=True, verbose_name="after"),
                ),
                ("alike", models.JSONField(null=True)),
                (
                    "remote_addr",
                    models.GenericIPAddressField(
                        db_column="ip_address", null=True, verbose_name="address"
                    ),
                ),
                ("user_agent", models.CharField(max_length=300, null=True, verbose_name="client")),
                (
                    "cid",
                    models.CharField(
                        db_column="request_id", max_length=128, null=True, verbose_name="request"
                    ),
                ),
                (
                    "timestamp",
                    models.DateTimeField(
                        db_column="occurred_at",
                        default=django.utils.timezone.now,
                        verbose_name="time",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="actor",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "get_latest_by": "timestamp",
                "indexes": [
                    models.Index(
                        fields=["entity_type", "entity_id", "timestamp"], name="audit_entity_time"
                    ),
                    models.Index(fields=["actor", "timestamp"], name="audit_actor_time"),
                    models.Index(fields=["city_id", "timestamp"], name="audit_city_time"),
                    models.Index(
                        fields=["actor", "city_id", "timestamp"], name="audit_actor_city_time"
                    ),
                    models.Index(fields=["timestamp"], name="audit_time"),
                    models.Index(
                        condition=models.Q(("action__in", ["create", "update"]), _negated=True),
                        fields=["action", "timestamp"],
                        name="audit_rare_action_time",
                    ),
                    models.Index(
                        condition=models.Q(("cid__isnull", False)),
                        fields=["cid"],
                        name="audit_request",
                    ),
                ],
            },
        ),
    ]
