"""The form of a record: it knows what was on the screen, and so what its user changed.

Each field sends along what it showed at first. What differs from that is the edit; fields that the user left
alone are no part of it, however old the page is.
"""

from typing import Any, ClassVar

from django import forms
from django.db.models import ForeignKey
from django.forms.boundfield import BoundField
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from crm.backoffice.fields import ReferenceField
from crm.errors import CallerError, Duplicate, Invalid

VERSION, SEEN, PICK = "version", "seen_version", "pick-"
MINE, THEIRS = "mine", "theirs"


class OfficeForm(forms.ModelForm):
    """A form that never writes: what it makes of its input goes to a service (`values`)."""

    # Set on a class of its own for each request, by the admin.
    refusal: ClassVar[CallerError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.edits = not self.instance._state.adding
        for field in self.fields.values():
            field.show_hidden_initial = self.edits

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name, bound in self._bound_items() if self.differs(bound)]  # type: ignore[attr-defined]

    def differs(self, bound: BoundField) -> bool:
        """Whether the user changed this field."""
        if isinstance(bound.field, ReferenceField):
            return str(bound.data or "") != str(self.shown_first(bound) or "")
        return bound._has_changed()  # type: ignore[attr-defined,no-any-return]

    def shown_first(self, bound: BoundField) -> Any:
        """What the field held when the page was opened, raw."""
        if self.edits and bound.html_initial_name in self.data:
            return self.data.get(bound.html_initial_name)
        value = bound.initial
        return getattr(value, "pk", value)

    def _clean_fields(self) -> None:
        """Only what was changed: an old value that would not be let in today may stay."""
        touched = set(self.changed_data)
        for name, bound in self._bound_items():  # type: ignore[attr-defined]
            if self.edits and name not in touched:
                continue
            try:
                self.cleaned_data[name] = bound.field._clean_bound_field(bound)
            except forms.ValidationError as error:
                self.add_error(name, error)

    def clean(self) -> dict[str, Any]:
        if self.refusal is not None:
            self.show(self.refusal)
        return self.cleaned_data

    def _post_clean(self) -> None:
        """The model's validators; its constraints are asked by the services, under a lock."""
        for name, value in list(self.cleaned_data.items()):
            try:
                field: Any = self._meta.model._meta.get_field(name)
            except Exception:  # noqa: S112 - a field of the form alone
                continue
            if value in (None, "", []) or isinstance(field, ForeignKey):
                continue
            try:
                field.run_validators(value)
            except forms.ValidationError as error:
                self.add_error(name, error)

    def show(self, error: CallerError) -> None:
        """Put what a service refused beside the fields that it is about."""
        names = {f.attname: f.name for f in self._meta.model._meta.concrete_fields}
        if isinstance(error, Invalid):
            for column, sentences in error.fields.items():
                self.add_error(self.known(names.get(column, column)), [str(s) for s in sentences])
        elif isinstance(error, Duplicate):
            self.add_error(self.known(names.get(error.field, error.field)), str(error.message))
        else:
            self.add_error(None, str(error.message))

    def known(self, name: str) -> str | None:
        """The field of that name, or None: the sentence stands above the form."""
        return name if name in self.fields else None

    def add_error(self, field: str | None, error: Any) -> None:
        # Fields that were not touched are in nobody's cleaned data.
        if field is not None:
            self.cleaned_data.setdefault(field, None)
        super().add_error(field, error)

    def values(self) -> dict[str, Any]:
        """Column → value: of an edit what was changed, of a new record what was given."""
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if not self.edits and value in (None, ""):
                continue
            if isinstance(self.fields.get(name), ReferenceField):
                found[f"{name}_id"] = None if value is None else value.pk
            else:
                found[name] = None if value == "" and self.may_be_null(name) else value
        return found

    def may_be_null(self, name: str) -> bool:
        """Whether an absent text is NULL in this column."""
        try:
            field: Any = self._meta.model._meta.get_field(name)
        except Exception:
            return False
        return bool(field.null)

    def save(self, commit: bool = True) -> Any:
        """Nothing: the admin hands `values` to the service."""
        setattr(self, "save_m2m", lambda: None)  # noqa: B010 - to the checker it is a method
        return self.instance


class RecordForm(OfficeForm):
    """The form of a versioned record, and of the page that asks which side of a conflict to take."""

    def base_version(self) -> int | None:
        """The version that was on the screen."""
        return whole(self.data.get(VERSION))

    def version(self) -> int | None:
        """The version that this edit may replace: after a conflict the one whose values were shown there.

        Only when every field in conflict has been decided; else the old one, and the page comes again.
        """
        seen = whole(self.data.get(SEEN))
        if seen is None:
            return self.base_version()
        asked = self.data.getlist("asked") if hasattr(self.data, "getlist") else []
        return seen if all(self.picked(name) for name in asked) else self.base_version()

    def picked(self, name: str) -> str:
        """Which side of the field was taken; '' = not decided."""
        if THEIRS in self.data:
            return THEIRS
        if MINE in self.data:
            return MINE
        side = self.data.get(f"{PICK}{name}", "")
        return side if side in (MINE, THEIRS) else ""

    def values(self) -> dict[str, Any]:
        kept = super().values()
        if not self.edits:
            return kept
        return {
            column: value
            for column, value in kept.items()
            if self.picked(column.removesuffix("_id")) != THEIRS and self.picked(column) != THEIRS
        }


def whole(raw: Any) -> int | None:
    """A version that came with a form."""
    text = str(raw or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None  # noqa: PLR2004


def nothing_changed() -> str:
    """What is said of a form that was saved as it was."""
    return _("Nothing was changed.")
