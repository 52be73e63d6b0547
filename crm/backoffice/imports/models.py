"""Uploaded files, what was done with them, and what became of their rows."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.ids import uuid7
from crm.jobs.models import ACTIVE, Job, JobQuerySet, JobStatus
from crm.users.models import User

MAX_NAME = 255


class UploadQuerySet(models.QuerySet[Any]):
    """Questions to the uploads."""

    def visible_to(self, user: User) -> Self:
        """An administrator sees every import, others their own."""
        return self if user.is_admin else self.filter(owner_id=user.pk)


class Upload(models.Model):
    """One file that somebody brought. The row outlives the file, which is needed until its run."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("owner"),
    )
    # As in crm.importing.kinds: objects, customers.
    kind = models.CharField(_("records"), max_length=32)
    name = models.CharField(_("file"), max_length=MAX_NAME)
    size = models.PositiveBigIntegerField(_("size, bytes"))
    # Its name in the storage; null when it is gone.
    file_path = models.CharField(max_length=MAX_NAME, null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[Any] = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["owner", "created_at"], name="imports_upload_owner")]

    def __str__(self) -> str:
        return self.name


class Stage(models.TextChoices):
    """What a job does with the file."""

    CHECK = "check", _("check")
    RUN = "run", _("import")


class ImportJob(Job):
    """The file read from beginning to end: for a look at what would be, or for good."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="+", db_index=False)
    stage = models.CharField(_("stage"), max_length=8, choices=Stage.choices)
    # The upload's, for lists of jobs.
    name = models.CharField(_("file"), max_length=MAX_NAME)
    # See crm.backoffice.imports.settings.Settings.
    settings = models.JSONField(default=dict)
    # What crm.importing.outcomes.Totals.as_json says, so far.
    totals = models.JSONField(default=dict)
    # Of a check that is done: what it saw, for the run.
    basis = models.BinaryField(null=True)
    # Whose eyes its rows are for: with another role or territory they are not shown.
    sight = models.CharField(max_length=128, default="")

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="imports_job_status_known"
            ),
            models.UniqueConstraint(
                fields=["upload"], condition=Q(status__in=ACTIVE), name="imports_job_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["upload", "created_at"], name="imports_job_upload_created"),
            models.Index(fields=["owner", "created_at"], name="imports_job_owner_created"),
            models.Index(fields=["status", "created_at"], name="imports_job_status_created"),
        ]


class Part(models.Model):
    """What became of some rows in a row of the file: those of one transaction of a run.

    Inserted and never changed, so that a run writes down what it did without writing it down again.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, db_index=False, related_name="+")
    stage = models.CharField(max_length=8, choices=Stage.choices)
    # The last line of the file that it tells of.
    last_line = models.PositiveBigIntegerField()
    # As in ImportJob.totals, of these rows alone.
    counts = models.JSONField()
    # See crm.backoffice.imports.rows.
    rows = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "stage", "last_line"], name="imports_part_line_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stage} …{self.last_line}"
