"""The abstract job: work that takes longer than a request may.

The row decides everything: who works on it, whether it may go on, whether it is done. Redis only rings the
bell.
"""

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.changes import Origin, current_origin
from crm.ids import uuid7
from crm.users.models import User


class JobStatus(models.TextChoices):
    """How far a job has come."""

    PENDING = "pending", _("waiting")
    PROCESSING = "processing", _("in progress")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


ACTIVE = (JobStatus.PENDING, JobStatus.PROCESSING)


def most_attempts() -> int:
    """How often a job is tried in all."""
    return 1 + len(settings.JOBS["RETRY_SECONDS"])


class JobQuerySet(models.QuerySet[Any]):
    """Questions to any kind of job."""

    def visible_to(self, user: User) -> Self:
        """An administrator sees every job, others their own."""
        return self if user.is_admin else self.filter(owner_id=user.pk)

    def active(self) -> Self:
        """Jobs that wait or are being worked on."""
        return self.filter(status__in=ACTIVE)

    def abandoned(self, moment: datetime) -> Self:
        """Jobs whose worker has not been heard of for a whole lease."""
        return self.filter(status=JobStatus.PROCESSING, lease_until__lt=moment)

    def due(self, moment: datetime) -> Self:
        """Waiting jobs whose time has come."""
        return self.filter(
            Q(retry_at__isnull=True) | Q(retry_at__lte=moment), status=JobStatus.PENDING
        )

    def held_by(self, run: UUID) -> Self:
        """Jobs on which that attempt works; none when it was cancelled or taken over."""
        return self.filter(run=run, status=JobStatus.PROCESSING)


class Job(models.Model):
    """One piece of work for its owner. A concrete job adds what is to be done, and registers its kind."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("owner"),
    )
    status = models.CharField(
        _("status"), max_length=10, choices=JobStatus.choices, default=JobStatus.PENDING
    )
    progress = models.PositiveSmallIntegerField(_("progress, %"), default=0)
    rows_total = models.PositiveIntegerField(_("rows in all"), null=True)
    rows_done = models.PositiveIntegerField(_("rows done"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error_message = models.TextField(_("what went wrong"), null=True)
    # The attempt that works on it, and how long it is believed to live without another word.
    run = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    # A failed attempt is followed by another one, but not before this moment.
    retry_at = models.DateTimeField(null=True)
    # The owner's when they asked: sentences and files speak it.
    language = models.CharField(max_length=8)
    # Where the request came from, for the trail: the work itself is done elsewhere.
    origin = models.JSONField(default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    completed_at = models.DateTimeField(_("completed"), null=True)

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.label} {self.pk}"

    @property
    def has_ended(self) -> bool:
        """Nothing happens to it any more."""
        return self.status not in ACTIVE

    def remember_origin(self) -> None:
        """Note where the request at hand comes from."""
        origin = current_origin()
        self.origin = {
            "request_id": origin.request_id,
            "ip_address": origin.ip_address,
            "user_agent": origin.user_agent,
        }

    def origin_of_request(self) -> Origin:
        """Where the request came from that made this job; its owner acts."""
        return Origin(actor=self.owner, **self.origin)
