"""Buildings and places, and the flats and offices in them."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinLengthValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.records import Record
from crm.territory.models import City, District
from objects.access import ObjectAccess
from objects.querysets import ObjectQuerySet, UnitQuerySet

__all__ = ["Object", "ObjectAccess", "ObjectStatus", "ObjectType", "Unit"]

MIN_ADDRESS, MAX_ADDRESS = 5, 500


class ObjectType(models.TextChoices):
    """What kind of place it is."""

    MKD = "MKD", _("apartment block")
    HOTEL = "HOTEL", _("hotel")
    CAFE = "CAFE", _("cafe")
    SCHOOL = "SCHOOL", _("school")
    HOSPITAL = "HOSPITAL", _("hospital")
    BUSINESS_CENTER = "BUSINESS_CENTER", _("business centre")
    SHOPPING_CENTER = "SHOPPING_CENTER", _("shopping centre")
    OTHER = "OTHER", _("other")


class ObjectStatus(models.TextChoices):
    """How far the work with it has come."""

    NEW = "NEW", _("new")
    INTEREST = "INTEREST", _("in work")
    CALLBACK = "CALLBACK", _("call back")
    REJECTED = "REJECTED", _("rejected")
    DONE = "DONE", _("done")


class Object(Record):
    """A building or place that is visited."""

    type = models.CharField(_("type"), max_length=20, choices=ObjectType.choices)
    address = models.CharField(
        _("address"), max_length=MAX_ADDRESS, validators=[MinLengthValidator(MIN_ADDRESS)]
    )
    city = models.ForeignKey(
        City,
        on_delete=models.PROTECT,
        related_name="buildings",
        verbose_name=_("city"),
        db_index=False,
    )
    district = models.ForeignKey(
        District,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="buildings",
        verbose_name=_("district"),
        db_index=False,
    )
    gps_lat = models.FloatField(
        _("latitude"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    gps_lng = models.FloatField(
        _("longitude"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    status = models.CharField(
        _("status"), max_length=10, choices=ObjectStatus.choices, default=ObjectStatus.NEW
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    responsible_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="responsible_for",
        verbose_name=_("responsible person"),
        db_index=False,
    )
    contact_name = models.CharField(_("contact name"), max_length=200, blank=True, null=True)
    contact_phone = models.CharField(_("contact phone"), max_length=16, blank=True, null=True)
    visits_count = models.PositiveIntegerField(_("finished visits"), db_default=0, editable=False)
    last_visit_at = models.DateTimeField(_("last visit"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
    )

    DERIVED: ClassVar[tuple[str, ...]] = ("visits_count", "last_visit_at")

    objects: ClassVar[Any] = ObjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("object")
        verbose_name_plural = _("objects")
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=ObjectType.values), name="objects_object_type_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ObjectStatus.values), name="objects_object_status_known"
            ),
            models.CheckConstraint(
                condition=Q(gps_lat__isnull=True, gps_lng__isnull=True)
                | Q(
                    # A comparison with NULL is unknown, and a check lets the unknown pass.
                    gps_lat__isnull=False,
                    gps_lng__isnull=False,
                    gps_lat__gte=-90,
                    gps_lat__lte=90,
                    gps_lng__gte=-180,
                    gps_lng__lte=180,
                ),
                name="objects_object_gps_whole_and_in_range",
            ),
        ]
        indexes = [
            # With the id: what hangs on a city's objects is joined to this index, not to their rows.
            models.Index(fields=["city", "id"], name="objects_object_city"),
            models.Index(fields=["district", "id"], name="objects_object_district"),
            models.Index(
                fields=["status"],
                name="objects_object_status",
                condition=Q(deleted_at__isnull=True),
            ),
            # All that lists and the home page count objects by.
            models.Index(
                fields=["city", "status", "responsible_user"],
                name="objects_object_counted",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["updated_at", "id"],
                name="objects_object_updated_at",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["responsible_user"], name="objects_object_responsible"),
            models.Index(fields=["last_visit_at", "id"], name="objects_object_last_visit_at"),
            # All that the map counts and is filtered by: it reads no row of the table.
            models.Index(
                fields=[
                    "gps_lat",
                    "gps_lng",
                    "deleted_at",
                    "status",
                    "type",
                    "city",
                    "district",
                    "responsible_user",
                    "last_visit_at",
                ],
                name="objects_object_map",
            ),
            models.Index(fields=["contact_phone"], name="objects_object_contact_phone"),
            models.Index(fields=["feed_position", "id"], name="objects_object_feed"),
            models.Index(
                fields=["deletion_id"],
                name="objects_object_deletion",
                condition=Q(deletion_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @classmethod
    def object_path(cls) -> str:
        return ""


class Unit(Record):
    """A flat or office of an object."""

    object = models.ForeignKey(
        Object,
        on_delete=models.PROTECT,
        related_name="units",
        verbose_name=_("object"),
        db_index=False,
    )
    unit_number = models.CharField(_("number"), max_length=32)
    floor = models.IntegerField(
        _("floor"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-20), MaxValueValidator(500)],
    )
    entrance = models.IntegerField(
        _("entrance"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1000)],
    )
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)

    objects: ClassVar[Any] = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            models.UniqueConstraint(
                fields=["object", "unit_number"],
                condition=Q(deleted_at__isnull=True),
                name="objects_unit_number_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["object", "deleted_at"], name="objects_unit_object"),
            models.Index(
                fields=["updated_at", "id"],
                name="objects_unit_updated_at",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["feed_position", "id"], name="objects_unit_feed"),
            models.Index(
                fields=["deletion_id"],
                name="objects_unit_deletion",
                condition=Q(deletion_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.unit_number
