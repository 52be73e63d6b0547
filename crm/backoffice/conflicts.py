"""The page for two people who changed the same record: both sides of each field, and the choice.

Nothing that somebody typed goes away by itself: all of the form travels along, and what was not decided is
asked again.
"""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import HttpRequest

from crm.backoffice.forms import MINE, PICK, SEEN, THEIRS, RecordForm
from crm.backoffice.history import Event, history_of
from crm.backoffice.shown import plain_value
from crm.records import Record
from crm.users.models import User

# What the page writes anew.
OWN = frozenset({"csrfmiddlewaretoken", SEEN, MINE, THEIRS, "asked"})
# As many entries as two versions can lie apart before the page stops telling who changed what.
LATEST = 20


@dataclass(frozen=True, slots=True)
class Side:
    """One field: before, theirs, mine. hard: both sides changed it, to different values."""

    name: str
    label: str
    before: str
    theirs: str
    mine: str
    changed_by_me: bool
    changed_by_them: bool
    picked: str

    @property
    def hard(self) -> bool:
        return self.changed_by_me and self.changed_by_them and self.mine != self.theirs


def context_of(
    request: HttpRequest, form: RecordForm, record: Record, reader: User
) -> dict[str, Any]:
    """What the page needs. form: as it was sent; record: as it is now."""
    base = form.base_version() or 0
    return {
        "record": record,
        "sides": sides_of(form, record, base),
        "carried": carried(request),
        "seen_version": record.version,
        "events": events_since(record, base, reader),
        "pick": PICK,
        "mine": MINE,
        "theirs": THEIRS,
        "seen": SEEN,
    }


def sides_of(form: RecordForm, record: Record, base: int) -> list[Side]:
    """The fields that one side or the other changed."""
    touched = set(form.changed_data)
    sides = []
    for name, field in form.fields.items():
        column: Any = record._meta.get_field(name) if has_field(record, name) else None
        if column is None:
            continue
        theirs_changed = base > record.version or record.field_versions.get(column.column, 1) > base
        if name not in touched and not theirs_changed:
            continue
        bound = form[name]
        sides.append(
            Side(
                name=name,
                label=str(bound.label),
                before=before_of(form, bound, column),
                theirs=shown(field, column, getattr(record, name)),
                mine=mine_of(form, bound, column),
                changed_by_me=name in touched,
                changed_by_them=theirs_changed,
                picked=form.picked(name),
            )
        )
    return sides


def has_field(record: Record, name: str) -> bool:
    """Whether the form's field is a column of the record."""
    return any(field.name == name for field in record._meta.concrete_fields)


def shown(field: forms.Field, column: Any, value: Any) -> str:
    """A value as one line."""
    text = getattr(field, "label_from_instance", None)
    if text is not None:
        return "" if value is None else str(text(value))
    choices = getattr(field, "choices", None)
    if isinstance(value, list) and choices:
        known = {str(code): str(label) for code, label in choices}
        return ", ".join(known.get(str(one), str(one)) for one in value)
    return plain_value(column, value)


def mine_of(form: RecordForm, bound: BoundField, column: Any) -> str:
    """What was typed: as it would be stored, or as it stands where it cannot be."""
    if bound.name in form.cleaned_data:
        return shown(bound.field, column, form.cleaned_data[bound.name])
    if bound.name in form.changed_data:
        return str(bound.data or "")
    return before_of(form, bound, column)


def before_of(form: RecordForm, bound: BoundField, column: Any) -> str:
    """What the field held when the page was opened."""
    widget = bound.field.hidden_widget()
    raw = widget.value_from_datadict(form.data, form.files, bound.html_initial_name)
    try:
        value = bound.field.clean(raw) if raw not in (None, "", []) else None
    except forms.ValidationError:
        return str(raw)
    return shown(bound.field, column, value)


def carried(request: HttpRequest) -> list[tuple[str, str]]:
    """Everything that was sent, to be sent again."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in OWN and not name.startswith(PICK)
    ]


def events_since(record: Record, base: int, reader: User) -> list[Event]:
    """Who changed it since, newest first."""
    entity = str(record._meta.model_name)
    events = history_of(entity, record.pk, reader=reader, limit=LATEST)
    return [event for event in events if event.version is not None and event.version > base]
