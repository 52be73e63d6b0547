import django.db.models.deletion
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
            name="ReportJob",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "waiting"),
                            ("processing", "in progress"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "progress",
                    models.PositiveSmallIntegerField(default=0, verbose_name="progress, %"),
                ),
                ("rows_total", models.PositiveIntegerField(null=True, verbose_name="rows in all")),
                ("rows_done", models.PositiveIntegerField(default=0, verbose_name="rows done")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("error_message", models.TextField(null=True, verbose_name="what went wrong")),
                ("run", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
                ("language", models.CharField(max_length=8)),
                ("origin", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("completed_at", models.DateTimeField(null=True, verbose_name="completed")),
                (
                    "entity",
                    models.CharField(
                        choices=[
                            ("objects", "Objects"),
                            ("units", "Units"),
                            ("customers", "Customers"),
                            ("visits", "Visits"),
                        ],
                        max_length=16,
                        verbose_name="records",
                    ),
                ),
                (
                    "filters",
                    models.JSONField(
                        db_column="filters_json", default=dict, verbose_name="filters"
                    ),
                ),
                ("columns", models.JSONField(default=list, verbose_name="columns")),
                ("sort", models.TextField(default="", verbose_name="order")),
                (
                    "format",
                    models.CharField(
                        choices=[("xlsx", "XLSX"), ("csv", "CSV")],
                        max_length=4,
                        verbose_name="format",
                    ),
                ),
                ("raw", models.BooleanField(default=False, verbose_name="codes instead of words")),
                ("fingerprint", models.CharField(max_length=64, null=True)),
                ("sight", models.CharField(default="", max_length=128)),
                ("file_path", models.CharField(max_length=255, null=True, verbose_name="file")),
                (
                    "file_size",
                    models.PositiveBigIntegerField(null=True, verbose_name="size, bytes"),
                ),
                ("expires_at", models.DateTimeField(null=True, verbose_name="kept until")),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "report",
                "verbose_name_plural": "reports",
                "indexes": [
                    models.Index(fields=["owner", "created_at"], name="reports_job_owner_created"),
                    models.Index(
                        fields=["status", "created_at"], name="reports_job_status_created"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "processing", "done", "failed", "cancelled"])
                        ),
                        name="reports_job_status_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ("pending", "processing"))),
                        fields=("fingerprint",),
                        name="reports_job_fingerprint_unique",
                    ),
                ],
            },
        ),
    ]
