"""What is synced: the one table. Feed, push and tests all go by it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from rest_framework import serializers

from clients.models import Customer
from clients.serializers import CustomerSerializer
from crm.api.fields import MaskedEmailField, PhoneField
from crm.api.serializers import RecordSerializer, SummarySerializer
from crm.db import engine_for
from crm.db.json_text import Kind, Member, kind_of
from crm.records import Record
from objects.models import Object, Unit
from objects.serializers import ObjectSerializer, UnitSerializer
from visits.models import Visit
from visits.serializers import VisitSerializer


@dataclass(frozen=True)
class Entity:
    """One kind of record that phones keep.

    number: its place among rows of one position; what others hang on comes first. own: whether an engineer
    gets only their own (by `engineer_id`).
    """

    number: int
    name: str
    model: type[Record]
    serializer: type[RecordSerializer]
    own: bool = False

    @property
    def table(self) -> str:
        """The database table."""
        return self.model._meta.db_table

    @property
    def hangs(self) -> bool:
        """Whether it hangs on an object, and shares its sight."""
        return bool(self.model.object_path())

    @cached_property
    def fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The record's own fields as the API shows them: no nested summaries."""
        return {
            name: field
            for name, field in self.serializer().fields.items()
            if not field.write_only
            and not isinstance(field, SummarySerializer)
            and self.column(field) is not None
        }

    def column(self, field: serializers.Field[Any, Any, Any, Any]) -> str | None:
        """The column behind a serializer's field; None when there is none."""
        columns = {f.attname: str(f.column) for f in self.model._meta.concrete_fields}
        return columns.get(str(field.source))

    def members(self, connection: BaseDatabaseWrapper, *, row: str, masked: bool) -> list[Member]:
        """The JSON members of a row (alias `row`) for a reader who sees personal data masked, or not."""
        kinds = {str(f.column): kind_of(f) for f in self.model._meta.concrete_fields}
        found = []
        for name, field in self.fields.items():
            column = str(self.column(field))
            sql, kind = f"{row}.{column}", kinds[column]
            if masked and isinstance(field, PhoneField | MaskedEmailField):
                engine = engine_for(connection)
                mask = (
                    engine.mask_phone_sql
                    if isinstance(field, PhoneField)
                    else engine.mask_email_sql
                )
                sql, kind = mask(sql), Kind.PLAIN
            found.append(Member(name, sql, kind))
        return found


ENTITIES = (
    Entity(0, "objects", Object, ObjectSerializer),
    Entity(1, "units", Unit, UnitSerializer),
    Entity(2, "customers", Customer, CustomerSerializer),
    Entity(3, "visits", Visit, VisitSerializer, own=True),
)
BY_NAME = {entity.name: entity for entity in ENTITIES}
TABLES = tuple(BY_NAME)
