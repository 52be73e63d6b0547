"""A serializer's answer as members of JSON that the database makes: the fast road of reads.

The serializer is the one declaration. What it says of a field is turned into SQL here, for the readers that
see it whole or masked; a field whose representation nobody has turned into SQL is refused, so that none can
exist in one road and not in the other. (crm/checks.py asks for every endpoint when the server starts.)
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import models as db
from rest_framework import serializers
from rest_framework.fields import _UnvalidatedField

from crm.api.fields import MaskedEmailField, MomentField, PhoneField
from crm.api.serializers import SummarySerializer
from crm.db import Engine, engine_for
from crm.db.json_text import Kind, Member, kind_of

Field = serializers.Field[Any, Any, Any, Any]

# Which class decides on a field's representation → what the column must be, so that both mean the same.
TEXTS: Final = frozenset({"CharField", "TextField", "EmailField"})
WHOLES: Final = frozenset(
    {"IntegerField", "PositiveIntegerField", "PositiveSmallIntegerField", "BigIntegerField"}
)
REPRESENTED: Final[dict[type, frozenset[str]]] = {
    serializers.CharField: TEXTS,
    serializers.ChoiceField: TEXTS,
    PhoneField: TEXTS,
    MaskedEmailField: TEXTS,
    serializers.IntegerField: WHOLES,
    serializers.FloatField: frozenset({"FloatField"}),
    serializers.DecimalField: frozenset({"DecimalField"}),
    serializers.BooleanField: frozenset({"BooleanField"}),
    serializers.UUIDField: frozenset({"UUIDField"}),
    MomentField: frozenset({"DateTimeField"}),
    serializers.ListField: frozenset({"JSONField"}),
    serializers.DictField: frozenset({"JSONField"}),
}
# Of what an annotation of the query is.
ANNOTATED: Final[dict[type, Kind]] = {
    serializers.FloatField: Kind.REAL,
    serializers.BooleanField: Kind.BOOLEAN,
    serializers.IntegerField: Kind.PLAIN,
}
MASKS: Final[dict[type, Callable[[Engine], Callable[[str], str]]]] = {
    PhoneField: lambda engine: engine.mask_phone_sql,
    MaskedEmailField: lambda engine: engine.mask_email_sql,
}


class UnknownField(ImproperlyConfigured):
    """A field that has no SQL."""

    def __init__(self, field: Field, reason: str) -> None:
        owner = type(field.parent).__name__
        super().__init__(f"{owner}.{field.field_name}: {reason}")


def members_of(
    serializer: type[serializers.BaseSerializer[Any]],
    model: type[db.Model],
    row: str,
    *,
    masked: bool,
    annotated: tuple[tuple[str, str], ...] = (),
    using: str = DEFAULT_DB_ALIAS,
) -> tuple[Member, ...]:
    """What the serializer shows of a row (its table's alias is `row`), for readers who see masks or not.

    annotated: public name → SQL of what the query itself computes; '' = nothing this time, so it is left out.
    Raises UnknownField.
    """
    shown: Any = serializer
    return _members_of(shown, model, row, annotated, using, masked=masked)


@lru_cache(maxsize=256)
def _members_of(
    serializer: Any, model: Any, row: str, annotated: Any, using: str, *, masked: bool
) -> tuple[Member, ...]:
    # Classes can be hashed, whatever the stubs say of these.
    shown = _Shown(engine_for(connections[using]), masked=masked)
    return tuple(shown.members(serializer(), model, row, dict(annotated)))


@dataclass(frozen=True)
class _Shown:
    """One kind of reader on one engine."""

    engine: Engine
    masked: bool

    def members(
        self, serializer: Any, model: type[db.Model], row: str, annotated: Mapping[str, str]
    ) -> Iterator[Member]:
        """The members of a row, in the serializer's order."""
        if decides_on(serializer) not in {serializers.Serializer, SummarySerializer}:
            raise UnknownField(serializer, "its own to_representation has no SQL")
        columns = {f.attname: f for f in model._meta.concrete_fields}
        for name, field in serializer.fields.items():
            if field.write_only:
                continue
            if name in annotated:
                kind = annotation_kind(field)
                if annotated[name]:
                    yield Member(name, annotated[name], kind)
            elif isinstance(field, serializers.BaseSerializer):
                yield self.summary(field, model, row)
            elif str(field.source) in columns:
                yield self.column(field, columns[str(field.source)], row)
            else:
                raise UnknownField(field, f"{model.__name__} has no column {field.source}")

    def column(self, field: Field, column: "db.Field[Any, Any]", row: str) -> Member:
        """A column of the row."""
        kind, sql = column_kind(field, column), f'{row}."{column.column}"'
        mask = MASKS.get(decides_on(field)) if self.masked else None
        return Member(str(field.field_name), mask(self.engine)(sql) if mask else sql, kind)

    def summary(self, field: Any, model: type[db.Model], row: str) -> Member:
        """A nested summary: the row that a foreign key points to, unless it was deleted."""
        if not isinstance(field, SummarySerializer):
            raise UnknownField(field, "only summaries are nested")
        keys: dict[str, Any] = {f.name: f for f in model._meta.concrete_fields if f.is_relation}
        key = keys.get(str(field.source))
        if key is None:
            raise UnknownField(field, f"{model.__name__} has no foreign key {field.source}")
        other, alias = key.related_model, f"{row}_{field.field_name}"
        source = (
            f'"{other._meta.db_table}" {alias}'
            f' WHERE {alias}."{key.target_field.column}" = {row}."{key.column}"'
        )
        if any(f.attname == "deleted_at" for f in other._meta.concrete_fields):
            source += f' AND {alias}."deleted_at" IS NULL'
        members = tuple(self.members(field, other, alias, {}))
        return Member(str(field.field_name), source, Kind.ROW, members)


def decides_on(field: Any) -> type:
    """The class that says what a field shows."""
    says = {"to_representation", "get_attribute"}
    return next(kind for kind in type(field).__mro__ if says & vars(kind).keys())


def column_kind(field: Field, column: "db.Field[Any, Any]") -> Kind:
    """How the column becomes JSON: just as the field represents it. Raises UnknownField."""
    decides, target = decides_on(field), getattr(column, "target_field", column)
    if target.get_internal_type() not in REPRESENTED.get(decides, ()):
        what = f"{decides.__name__} of a {target.get_internal_type()}"
        raise UnknownField(field, f"{what} has no SQL")
    if not ONLY_IF.get(decides, lambda _: True)(field):
        raise UnknownField(field, f"its way to write a {decides.__name__} has no SQL")
    return kind_of(column)


def annotation_kind(field: Field) -> Kind:
    """The kind of what the query computes. Raises UnknownField."""
    if decides_on(field) not in ANNOTATED or not field.read_only:
        raise UnknownField(field, "no such annotation has SQL")
    return ANNOTATED[decides_on(field)]


# Options of fields that change what they show.
ONLY_IF: Final[dict[type, Callable[[Any], bool]]] = {
    serializers.DecimalField: lambda field: (
        getattr(field, "coerce_to_string", True) is False and not field.localize
    ),
    serializers.UUIDField: lambda field: bool(field.uuid_format == "hex_verbose"),
    serializers.ListField: lambda field: (
        decides_on(field.child) in {serializers.CharField, serializers.ChoiceField}
    ),
    serializers.DictField: lambda field: decides_on(field.child) is _UnvalidatedField,
}
