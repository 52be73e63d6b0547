"""Visits: what is planned, what was done, and when to call back."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Customer
from crm.records import Record
from objects.models import Object, Unit
from visits.querysets import VisitQuerySet
from visits.transitions import VisitStatus


class Visit(Record):
    """One engineer's visit to one object."""

    object = models.ForeignKey(
        Object,
        on_delete=models.PROTECT,
        related_name="visits",
        verbose_name=_("object"),
        db_index=False,
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="visits",
        verbose_name=_("unit"),
    )
    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="visits",
        verbose_name=_("customer"),
    )
    engineer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="visits",
        verbose_name=_("engineer"),
        db_index=False,
    )
    scheduled_at = models.DateTimeField(_("scheduled"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=12, choices=VisitStatus.choices, default=VisitStatus.PLANNED
    )
    interests = models.JSONField(_("interests"), default=list, blank=True)
    outcome_text = models.TextField(_("outcome"), blank=True, null=True, max_length=10_000)
    next_action_due_at = models.DateTimeField(_("call back by"), null=True, blank=True)
    geo_captured_lat = models.FloatField(
        _("captured latitude"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    geo_captured_lng = models.FloatField(
        _("captured longitude"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )

    objects: ClassVar[Any] = VisitQuerySet.as_manager()

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=VisitStatus.values), name="visits_visit_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=VisitStatus.DONE)
                | Q(outcome_text__isnull=False) & ~Q(outcome_text=""),
                name="visits_visit_done_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(geo_captured_lat__isnull=True, geo_captured_lng__isnull=True)
                | Q(
                    geo_captured_lat__isnull=False,
                    geo_captured_lng__isnull=False,
                    geo_captured_lat__gte=-90,
                    geo_captured_lat__lte=90,
                    geo_captured_lng__gte=-180,
                    geo_captured_lng__lte=180,
                ),
                name="visits_visit_geo_whole_and_in_range",
            ),
        ]
        indexes = [
            models.Index(
                fields=["engineer", "object"],
                name="visits_visit_engineer",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["object"],
                name="visits_visit_object",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["status"], name="visits_visit_status"),
            # All that the home page counts a period by: it reads no row of the table.
            models.Index(
                fields=["scheduled_at", "id", "status", "engineer", "object"],
                name="visits_visit_scheduled",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["finished_at", "id"], name="visits_visit_finished_at"),
            models.Index(fields=["engineer", "scheduled_at"], name="visits_visit_engineer_sched"),
            models.Index(fields=["object", "status"], name="visits_visit_object_status"),
            models.Index(
                fields=["next_action_due_at", "id"],
                name="visits_visit_next_action",
                condition=Q(deleted_at__isnull=True),
            ),
            # The same for call-backs: few visits promise one.
            models.Index(
                fields=["next_action_due_at", "id", "object"],
                name="visits_visit_promised",
                condition=Q(deleted_at__isnull=True, next_action_due_at__isnull=False),
            ),
            models.Index(
                fields=["updated_at", "id"],
                name="visits_visit_updated_at",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["feed_position", "id"], name="visits_visit_feed"),
            models.Index(
                fields=["deletion_id"],
                name="visits_visit_deletion",
                condition=Q(deletion_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} {self.scheduled_at or ''}".strip()
