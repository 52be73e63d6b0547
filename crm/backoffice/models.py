"""What the back office itself keeps: jobs that do something to many records."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.jobs.models import Job, JobQuerySet, JobStatus


class BulkJob(Job):
    """One action on many records: what was asked for, which rows were chosen, and what became of them.

    `position`, the counts and `problems` are written in the same transaction as the rows they tell of, so
    that a job that is taken up again goes on exactly where it stopped.
    """

    # As in crm.backoffice.bulk.actions: objects.assign
    action = models.CharField(_("action"), max_length=64)
    params = models.JSONField(default=dict)
    # The rows as they were when they were chosen: see crm.backoffice.bulk.choice.
    chosen = models.BinaryField(default=bytes)
    number = models.PositiveIntegerField(_("chosen"), default=0)
    position = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(_("done"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("could not be done"), default=0)
    # [{"id": …, "why": a sentence in the owner's language}]: the first of them.
    problems = models.JSONField(default=list)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk action")
        verbose_name_plural = _("bulk actions")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="backoffice_bulk_status_known"
            )
        ]
        indexes = [
            models.Index(fields=["owner", "created_at"], name="backoffice_bulk_owner"),
            models.Index(fields=["status", "created_at"], name="backoffice_bulk_status"),
        ]
