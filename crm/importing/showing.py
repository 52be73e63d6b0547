"""Columns before and after as text for a person."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from crm.editing import MASKS
from crm.importing.outcomes import FieldChange

if TYPE_CHECKING:
    from crm.users.models import User

_LONGEST = 200


class Showing:
    """Tells changes of one kind of record to one reader (None: the operator), in the language of the moment.

    words: labels of codes that stand in lists. Personal data is shown as the reader sees it, long texts
    are cut.
    """

    def __init__(
        self,
        model: type[models.Model],
        reader: "User | None",
        *,
        words: Mapping[str, str] | None = None,
    ) -> None:
        self._fields: dict[str, Any] = {f.attname: f for f in model._meta.concrete_fields}
        self._masks = {} if reader is None or reader.sees_personal_data else MASKS
        self._words = words or {}

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {column: str(field.verbose_name) for column, field in self._fields.items()}

    @cached_property
    def _choices(self) -> dict[str, dict[Any, str]]:
        found = ((column, field.flatchoices) for column, field in self._fields.items())
        return {
            column: {code: str(label) for code, label in flat} for column, flat in found if flat
        }

    @cached_property
    def _booleans(self) -> dict[bool, str]:
        return {True: _("yes"), False: _("no")}

    def changes(
        self, before: Mapping[str, Any], after: Mapping[str, Any], *, names: Mapping[UUID, str]
    ) -> list[FieldChange]:
        """The columns of `after`, with what they were before. `names`: what ids refer to."""
        return [
            FieldChange(
                column,
                self._labels[column],
                self._text(column, before.get(column), names),
                self._text(column, value, names),
            )
            for column, value in after.items()
        ]

    def _text(self, column: str, value: Any, names: Mapping[UUID, str]) -> str:
        if value is None:
            return ""
        if column in self._masks:
            return self._masks[column](value) or ""
        if isinstance(value, bool):
            return self._booleans[value]
        if isinstance(value, UUID):
            return names.get(value, str(value))
        if isinstance(value, list):
            return ", ".join(self._words.get(str(each), str(each)) for each in value)
        if choices := self._choices.get(column):
            return choices.get(value, str(value))
        text = str(value)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
