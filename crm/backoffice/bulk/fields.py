"""Fields of the forms of bulk actions."""

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from crm.backoffice.fields import ReferenceField, reference_field
from crm.references import referable
from crm.users.models import User


def person_field(
    model: Any, name: str, *, reader: User, label: Any, required: bool = True
) -> ReferenceField:
    """Somebody found while typing, among those whom the reader may give work to, as for `model.name`."""
    from django.contrib import admin  # noqa: PLC0415 - the site stands once apps are loaded

    field: Any = model._meta.get_field(name)
    remote: Any = admin.site.get_model_admin(User)
    found = reference_field(field, referable(User, reader), current=None, text=remote.option_text)
    found.label = label
    found.required = found.widget.is_required = required
    return found


def choice_field(label: Any, choices: Any) -> forms.ChoiceField:
    """One of a few."""
    return forms.ChoiceField(
        label=label, choices=[("", "—"), *choices], widget=UnfoldAdminSelectWidget()
    )


def day_field(label: Any, **kwargs: Any) -> forms.DateField:
    """A day, typed or picked."""
    widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
    widget.format = "%Y-%m-%d"
    return forms.DateField(label=label, widget=widget, **kwargs)


def hour_field(label: Any, **kwargs: Any) -> forms.TimeField:
    """A time of day."""
    kwargs.setdefault("help_text", _("In local time"))
    return forms.TimeField(
        label=label, widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}), **kwargs
    )


def local_moment(day: Any, hour: time | None, usual: time) -> datetime:
    """A day and a time in the zone at hand, as a moment in UTC: the trail writes it as the database does."""
    return timezone.make_aware(datetime.combine(day, hour or usual)).astimezone(UTC)
