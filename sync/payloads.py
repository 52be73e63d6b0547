"""The fields of one table: read from a phone's payload, and shown in a conflict."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from crm.api.errors import field_sentences
from crm.api.viewsets import shown_input
from crm.errors import Invalid
from crm.records import Record
from sync.batch import Item
from sync.kinds import Kind

if TYPE_CHECKING:
    from crm.users.models import User

# Fields of the API's body that an item has beside its payload.
BESIDE: Final = {"version", "force"}


class Payloads:
    """One table's fields for one reader; the API's serializer, made once for all items."""

    def __init__(self, kind: Kind, reader: "User") -> None:
        self.kind, self.reader = kind, reader
        self.serializer = kind.serializer(context={"reader": reader})
        fields = self.serializer.fields
        self.writable = {
            name: field
            for name, field in fields.items()
            if not field.read_only and name not in BESIDE
        }
        self.required = [
            name
            for name, field in self.writable.items()
            if field.required and name not in kind.defaults
        ]
        self.own = {name: fields[name] for name in kind.entity.fields}

    def read(self, item: Item) -> None:
        """Fill in the item's values, and the names that it ignores; what is wrong becomes its refusal."""
        problems: dict[str, list[str]] = {}
        for name, given in item.payload.items():
            field = self.writable.get(name)
            if field is None:
                item.ignored.append(name)
                continue
            try:
                item.values[str(field.source)] = field.run_validation(given)
            except (ValidationError, DjangoValidationError) as error:
                detail = error.detail if isinstance(error, ValidationError) else error.messages
                problems.update(field_sentences(detail, name))
        item.ignored.sort()
        for name in self.required:
            if name not in item.payload:
                item.missing[name] = [_("This field is required.")]
        if problems and item.refusal is None:
            item.refusal = Invalid(problems)

    def shown(self, record: Record) -> dict[str, Any]:
        """The record's own fields as the reader sees them."""
        told = {}
        for name, field in self.own.items():
            value = getattr(record, str(field.source))
            told[name] = None if value is None else field.to_representation(value)
        return told

    def shown_input(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the phone sent, as the reader sees it."""
        return shown_input(self.serializer, values, self.reader)
