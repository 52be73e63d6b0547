"""Customers: the people behind the doors."""

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.querysets import CustomerQuerySet
from crm.records import Record
from objects.models import Object, Unit


class Interest(models.TextChoices):
    """What a resident may want."""

    INTERNET = "INTERNET", _("internet")
    TV = "TV", _("television")
    CCTV = "CCTV", _("video surveillance")
    BABY_MONITOR = "BABY_MONITOR", _("baby monitor")
    OTHER = "OTHER", _("other")


class Customer(Record):
    """A resident or contact person of an object."""

    object = models.ForeignKey(
        Object,
        on_delete=models.PROTECT,
        related_name="customers",
        verbose_name=_("object"),
        db_index=False,
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("unit"),
        db_index=False,
    )
    full_name = models.CharField(_("full name"), max_length=200, blank=True, null=True)
    phone = models.CharField(_("phone"), max_length=16, blank=True, null=True)
    portrait_text = models.TextField(_("portrait"), blank=True, null=True, max_length=10_000)
    current_provider = models.CharField(
        _("current provider"), max_length=200, blank=True, null=True
    )
    provider_rating = models.PositiveSmallIntegerField(
        _("provider rating"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )
    satisfied = models.BooleanField(_("satisfied"), null=True, blank=True)
    interests = models.JSONField(_("interests"), default=list, blank=True)
    preferred_call_time = models.CharField(
        _("preferred call time"), max_length=5, blank=True, null=True
    )
    desired_price = models.DecimalField(
        _("desired price"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    notes = models.TextField(_("notes"), blank=True, null=True, max_length=10_000)
    gdpr_consent = models.BooleanField(_("consent to data processing"), default=False)
    last_interaction_at = models.DateTimeField(
        _("last interaction"), null=True, blank=True, editable=False
    )

    DERIVED: ClassVar[tuple[str, ...]] = ("last_interaction_at",)

    objects: ClassVar[Any] = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.UniqueConstraint(
                fields=["phone"],
                condition=Q(deleted_at__isnull=True, phone__isnull=False),
                name="clients_customer_phone_unique",
            ),
            models.CheckConstraint(
                condition=Q(provider_rating__isnull=True)
                | Q(provider_rating__gte=1, provider_rating__lte=5),
                name="clients_customer_rating_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["object", "deleted_at"], name="clients_customer_object"),
            models.Index(fields=["unit"], name="clients_customer_unit"),
            models.Index(
                fields=["updated_at", "id"],
                name="clients_customer_updated_at",
                condition=Q(deleted_at__isnull=True),
            ),
            # What customers answered has few values: together they may be rare, or never met.
            models.Index(
                fields=["provider_rating", "satisfied", "gdpr_consent"],
                name="clients_customer_answers",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["feed_position", "id"], name="clients_customer_feed"),
            models.Index(
                fields=["deletion_id"],
                name="clients_customer_deletion",
                condition=Q(deletion_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or str(self.pk)
