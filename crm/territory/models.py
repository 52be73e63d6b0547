"""Cities and their districts: the dictionaries, and the ground on which sight is decided."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.ids import uuid7

DEFAULT_TIME_ZONE = "Europe/Moscow"


def validate_time_zone(value: str) -> None:
    """Raise ValidationError unless `value` is a name of the IANA time zone database."""
    if value not in available_timezones():
        raise ValidationError(_("“%(value)s” is not a known time zone."), params={"value": value})


class Timestamped(models.Model):
    """created_at and updated_at, both kept by a database trigger (see crm.db.triggers)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    class Meta:
        abstract = True


class City(Timestamped):
    """A city with its own local time: "today" in Yekaterinburg is not "today" in Moscow."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=DEFAULT_TIME_ZONE, validators=[validate_time_zone]
    )

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("city")
        verbose_name_plural = _("cities")

    def __str__(self) -> str:
        return self.name


class District(Timestamped):
    """A part of one city; engineers usually work in one."""

    name = models.CharField(_("name"), max_length=200)
    city = models.ForeignKey(
        City, on_delete=models.PROTECT, related_name="districts", verbose_name=_("city")
    )

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        constraints = [
            models.UniqueConstraint(
                fields=["city", "name"], name="territory_district_city_name_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name
