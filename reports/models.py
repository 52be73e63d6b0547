"""Exports that people have asked for, and where their files are."""

from datetime import datetime
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.jobs.models import ACTIVE, Job, JobStatus

MAX_NAME: Final = 255


class ReportEntity(models.TextChoices):
    """What can be exported: the lists of the API."""

    OBJECTS = "objects", _("Objects")
    UNITS = "units", _("Units")
    CUSTOMERS = "customers", _("Customers")
    VISITS = "visits", _("Visits")


class ReportFormat(models.TextChoices):
    """How the file is written."""

    XLSX = "xlsx", "XLSX"
    CSV = "csv", "CSV"


class ReportJob(Job):
    """One export: what was asked for, and the file when it is done. The row outlives the file."""

    entity = models.CharField(_("records"), max_length=16, choices=ReportEntity.choices)
    # Name of a list's parameter → its value, as text.
    filters = models.JSONField(_("filters"), default=dict, db_column="filters_json")
    columns = models.JSONField(_("columns"), default=list)
    # As a list's `sort`; empty for the list's own order.
    sort = models.TextField(_("order"), default="")
    format = models.CharField(_("format"), max_length=4, choices=ReportFormat.choices)
    raw = models.BooleanField(_("codes instead of words"), default=False)
    # Who sees what is asked for how: the same request while the first one waits is the same job.
    fingerprint = models.CharField(max_length=64, null=True)
    # From which role and territory the file was made: with another one it is not given out.
    sight = models.CharField(max_length=128, default="")
    # Its name in the storage.
    file_path = models.CharField(_("file"), max_length=MAX_NAME, null=True)
    file_size = models.PositiveBigIntegerField(_("size, bytes"), null=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="reports_job_status_known"
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=Q(status__in=ACTIVE),
                name="reports_job_fingerprint_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "created_at"], name="reports_job_owner_created"),
            models.Index(fields=["status", "created_at"], name="reports_job_status_created"),
        ]

    def has_expired(self, moment: datetime | None = None) -> bool:
        """The file is gone, or no longer to be given out."""
        return self.expires_at is not None and self.expires_at <= (moment or timezone.now())
