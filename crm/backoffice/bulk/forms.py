"""What an action asks for. A form's values are kept as plain JSON in the job."""

from typing import Any

from django import forms
from django.db.models import Model

from crm.changes import plain
from crm.users.models import User


class BulkForm(forms.Form):
    """The base: asks for nothing."""

    # Bound forms know whose they are.
    reader: User

    def __init__(self, *args: Any, reader: User, **kwargs: Any) -> None:
        self.reader = reader
        super().__init__(*args, **kwargs)
        self.ask()

    def ask(self) -> None:
        """Add the fields that depend on who asks."""

    def kept(self) -> dict[str, Any]:
        """The valid values as JSON can hold them."""
        return {
            name: str(value.pk) if isinstance(value, Model) else plain(value)
            for name, value in self.cleaned_data.items()
        }

    def told(self) -> list[tuple[str, str]]:
        """What was asked for, in words: label and value, for the job's page."""
        return [
            (str(field.label), in_words(field, self.cleaned_data.get(name)))
            for name, field in self.fields.items()
            if self.cleaned_data.get(name)
        ]


def in_words(field: forms.Field, value: Any) -> str:
    """A value as people read it."""
    from crm.backoffice.shown import plain_value  # noqa: PLC0415 - needs the apps

    choices = (
        dict(getattr(field, "choices", ()) or ()) if isinstance(field, forms.ChoiceField) else {}
    )
    if value in choices:
        return str(choices[value])
    if isinstance(value, Model):
        return str(value)
    return plain_value(field, value)
