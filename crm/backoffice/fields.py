"""Form fields of the back office: they take what people type and give what services take."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey, Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from crm.backoffice.shown import spaced
from crm.geo import coordinate
from crm.phones import InvalidPhone, normalise_phone

MAX_TAGS = 50
MAX_TAG = 100
CALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class ReferenceWidget(AutocompleteSelect):
    """A select box that loads what is typed for; of the whole table it renders the chosen row alone."""

    template_name = "backoffice/reference.html"

    def __init__(self, field: Any, *, depends_on: str = "", attrs: Any = None) -> None:
        super().__init__(field, admin.site, attrs=attrs)
        self.depends_on = depends_on
        self.reference: ReferenceField | None = None

    def __deepcopy__(self, memo: Any) -> "ReferenceWidget":
        other: ReferenceWidget = super().__deepcopy__(memo)
        other.reference = self.reference
        return other

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        # Answers depend on what else the form holds, and on who asks.
        attrs["data-ajax--cache"] = "false"
        attrs["data-placeholder"] = (extra_attrs or {}).get("data-placeholder") or _(
            "Start typing…"
        )
        if self.depends_on:
            attrs["data-depends-on"] = self.depends_on
        return attrs

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        chosen = None if self.reference is None else self.reference.chosen(value)
        if chosen is not None:
            text = self.reference.label_from_instance(chosen)  # type: ignore[union-attr]
            options.append(self.create_option(name, str(chosen.pk), text, True, 1))
        return [(None, options, 0)]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        chosen = (
            None if self.reference is None else self.reference.chosen(context["widget"]["value"])
        )
        if chosen is not None and self.reference is not None:
            opts = chosen._meta
            context["link"] = reverse(
                f"admin:{opts.app_label}_{opts.model_name}_change", args=[chosen.pk]
            )
        return context


class ReferenceField(forms.ModelChoiceField):
    """Another record: one that the person may refer to, or the one that stands there already.

    What stands there may be out of their sight, or a colleague who has left: it is shown, and may stay.
    """

    widget: ReferenceWidget

    def __init__(
        self, rows: QuerySet[Any], *, current: Model | None, text: Any, **kwargs: Any
    ) -> None:
        self.current = current
        self.text = text
        super().__init__(rows, **kwargs)
        self.widget.reference = self
        self.widget.is_required = self.required

    def __deepcopy__(self, memo: Any) -> "ReferenceField":
        other: ReferenceField = super().__deepcopy__(memo)
        other.widget.reference = other
        return other

    def label_from_instance(self, obj: Any) -> str:
        return str(self.text(obj))

    def chosen(self, value: Any) -> Any:
        """The row that a raw value names, if it may be there."""
        raw = value[0] if isinstance(value, list | tuple) and value else value
        if raw in (None, "", []):
            return None
        try:
            return self.to_python(raw)
        except forms.ValidationError:
            return None

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, Model):
            value = value.pk
        if self.current is not None and str(self.current.pk) == str(value):
            return self.current
        return super().to_python(value)


def reference_field(
    db_field: "ForeignKey[Any, Any]",
    rows: QuerySet[Any],
    *,
    current: Model | None,
    text: Any,
    depends_on: str = "",
    **kwargs: Any,
) -> ReferenceField:
    """The form field of a foreign key."""
    return ReferenceField(
        rows,
        current=current,
        text=text,
        required=not db_field.blank,
        label=str(db_field.verbose_name).capitalize(),
        help_text=db_field.help_text,
        widget=ReferenceWidget(db_field, depends_on=depends_on),
        **kwargs,
    )


class PhoneField(forms.CharField):
    """A phone as people write it; stored in E.164."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 32)
        kwargs.setdefault(
            "widget",
            UnfoldAdminTextInputWidget(
                attrs={"inputmode": "tel", "autocomplete": "off", "placeholder": "+7 999 123-45-67"}
            ),
        )
        super().__init__(empty_value=None, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return spaced(value) if isinstance(value, str) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return normalise_phone(text, settings.PHONE_REGION)
        except InvalidPhone as error:
            raise forms.ValidationError(str(error)) from None


class DegreesField(forms.FloatField):
    """A coordinate."""

    def to_python(self, value: Any) -> Any:
        degrees = super().to_python(value)
        return None if degrees is None else coordinate(degrees)


class WordsField(forms.CharField):
    """A list of words, typed with commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget())
        kwargs.setdefault("help_text", _("Separated by commas"))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = value if isinstance(value, list) else re.split(r"[,;\n]", value or "")
        kept = list(dict.fromkeys(word.strip() for word in words if word.strip()))
        if len(kept) > MAX_TAGS or any(len(word) > MAX_TAG for word in kept):
            raise forms.ValidationError(
                _("At most %(count)s words of at most %(length)s characters.")
                % {"count": MAX_TAGS, "length": MAX_TAG}
            )
        return kept


class ChoicesField(forms.MultipleChoiceField):
    """Any of a few."""

    def __init__(self, *, choices: Iterable[tuple[str, Any]], **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminCheckboxSelectMultipleWidget())
        super().__init__(choices=list(choices), **kwargs)


class JsonObjectField(forms.JSONField):
    """Attributes that the model does not know by name: a line each, «name: value». JSON is taken, too."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"})
        )
        kwargs["required"] = False
        kwargs["help_text"] = kwargs.get("help_text") or _("A line each: name: value")
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        if not isinstance(value, dict) or any(not plain_line(name) for name in value):
            return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) if value else ""
        return "\n".join(f"{name}: {line_of(one)}" for name, one in sorted(value.items()))

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str) or value.lstrip().startswith(("{", "[")):
            return super().to_python(value)
        found: dict[str, Any] = {}
        for line in filter(str.strip, value.splitlines()):
            name, colon, text = line.partition(":")
            if not colon or not name.strip():
                raise forms.ValidationError(
                    _("Write “name: value” instead of “%(line)s”.") % {"line": line.strip()}
                )
            found[name.strip()] = value_of(text.strip())
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != (initial or {}))
        except forms.ValidationError:
            return True

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise forms.ValidationError(_("A JSON object is expected."))
        return found


def plain_line(name: str) -> bool:
    """Whether the name of an attribute can stand in a line before a colon."""
    return bool(name) and name == name.strip() and not set(name) & set(":\n\r{[")


def line_of(value: Any) -> str:
    """An attribute's value as `value_of` reads it back: words as they are, all else as JSON."""
    if isinstance(value, str) and value_of(value) == value and len(value.splitlines()) == 1:
        return value
    return json.dumps(value, ensure_ascii=False)


def value_of(text: str) -> Any:
    """What somebody typed after the colon: a number, true, a list …, or words."""
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


class CallTimeField(forms.CharField):
    """A time of day as HH:MM."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", UnfoldAdminTextInputWidget(attrs={"type": "time", "placeholder": "18:30"})
        )
        super().__init__(empty_value=None, max_length=5, **kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text and not CALL_TIME.fullmatch(text):
            raise forms.ValidationError(_("A time such as 18:30 is expected."))
        return text


def labels_of(values: Sequence[Any], choices: Iterable[tuple[Any, Any]]) -> str:
    """Codes as people read them."""
    known = {str(code): str(label) for code, label in choices}
    return ", ".join(known.get(str(value), str(value)) for value in values)
