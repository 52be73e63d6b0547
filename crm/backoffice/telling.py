"""Stored facts (columns and plain values, as the trail and phones have them) in words that people read."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, ForeignKey, Model
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.backoffice.shown import moment, plain_value, spaced
from crm.editing import MASKS
from crm.users.models import User

Facts = Mapping[str, Any]
# JSON lists of codes: model's name and column → the choices. Whoever owns the model says so.
_choices: dict[tuple[str, str], Mapping[str, Any]] = {}


def name_codes(model: type[Model], column: str, choices: Iterable[tuple[str, Any]]) -> None:
    """Say what the codes in a JSON list mean."""
    _choices[str(model._meta.model_name), column] = dict(choices)


class Telling:
    """Tells facts to one reader. What they refer to is looked up in the reader's sight, once a kind."""

    def __init__(self, reader: User) -> None:
        self.reader = reader
        self.names: dict[type[Model], dict[str, str]] = {}

    def fetch(self, model: type[Model], all_facts: Iterable[Facts | None]) -> None:
        """Look up everything that the facts refer to: one query for each kind."""
        wanted: dict[Any, set[str]] = {}
        facts = [one for one in all_facts if one]
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey):
                ids = {str(one[field.attname]) for one in facts if one.get(field.attname)}
                wanted.setdefault(field.related_model, set()).update(ids)
        for target, ids in wanted.items():
            known = self.names.setdefault(target, {})
            missing = [one for one in ids if one not in known and is_id(one)]
            if missing:
                known.update({str(row.pk): str(row) for row in self.seen(target, missing)})

    def seen(self, target: Any, ids: list[str]) -> Iterable[Any]:
        """The rows that the reader may know of."""
        rows = target._default_manager.all()
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(self.reader)
        return rows.filter(pk__in=ids)  # type: ignore[no-any-return]

    def title(self, model: type[Model], column: str) -> str:
        """What people call the column."""
        field = field_of(model, column)
        return column if field is None else str(capfirst(field.verbose_name))

    def text(self, model: type[Model], column: str, value: Any) -> str:
        """A value in words; '' for nothing."""
        if value is None or value in ("", [], {}):
            return ""
        field: Any = field_of(model, column)
        if isinstance(field, ForeignKey):
            known = self.names.get(field.related_model, {})
            return known.get(str(value), _("outside of your sight"))
        if isinstance(field, DateTimeField) and isinstance(value, str):
            parsed = parse_datetime(value)
            return value if parsed is None or parsed.tzinfo is None else moment(parsed)
        if field is not None and field.name in MASKS and field.name != "email":
            return spaced(str(value))
        codes = _choices.get((str(model._meta.model_name), column))
        if codes and isinstance(value, list):
            return ", ".join(str(codes.get(one, one)) for one in value)
        return plain_value(field, value)


def field_of(model: type[Model], column: str) -> Any:
    """The model's field behind a column; None when there is none any more."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return fields.get(column)


def is_id(text: str) -> bool:
    """Whether that is an id at all: phones send what they like."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
