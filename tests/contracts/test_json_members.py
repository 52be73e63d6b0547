"""What a serializer shows and the database cannot make is refused, before anybody asks."""

from typing import Any

import pytest
from django.core import checks
from django.db import models
from rest_framework import serializers

from clients.models import Customer
from crm.api.fields import MomentField, PhoneField, TextField
from crm.api.json_members import UnknownField, members_of
from crm.api.readable import unreadable
from crm.api.serializers import PlaceSerializer, SummarySerializer
from objects.models import Object
from objects.serializers import ObjectSerializer
from objects.views import ObjectViewSet


class Shouting(TextField):
    def to_representation(self, value: Any) -> Any:
        return f"{value}!"


class Elsewhere(TextField):
    def get_attribute(self, instance: Any) -> Any:
        return instance.address


class Nested(serializers.Serializer[Any]):
    name = serializers.CharField()


class Altered(PlaceSerializer):
    def to_representation(self, instance: Any) -> Any:
        return {}


def shown(
    model: type[models.Model], masked: bool = False, annotated: Any = (), **fields: Any
) -> list[str]:
    """The names of the members of a serializer with these fields."""
    serializer = type("Shown", (serializers.Serializer,), fields)
    members = members_of(serializer, model, "r", masked=masked, annotated=annotated)
    return [member.name for member in members]


@pytest.mark.parametrize(
    "field",
    [
        Shouting(),
        Elsewhere(),
        serializers.SerializerMethodField(),
        serializers.DateTimeField(),
        serializers.CharField(source="search_words"),
        serializers.CharField(source="city.name"),
        serializers.CharField(source="*"),
        serializers.IntegerField(),
        Nested(source="city"),
        Altered(source="city"),
        PlaceSerializer(source="units"),
        PlaceSerializer(source="nobody"),
        serializers.StringRelatedField(source="city"),
    ],
    ids=lambda field: type(field).__name__,
)
def test_a_field_without_sql_is_refused(field: Any) -> None:
    with pytest.raises(UnknownField):
        shown(Object, address=field)


@pytest.mark.parametrize(
    ("model", "column", "field"),
    [
        (Customer, "desired_price", serializers.DecimalField(max_digits=12, decimal_places=2)),
        (Object, "id", serializers.UUIDField(format="hex")),
        (Object, "tags", serializers.ListField(child=serializers.IntegerField())),
        (Object, "tags", serializers.ListField(child=PhoneField())),
        (Object, "tags", serializers.DictField(child=serializers.IntegerField())),
        (Object, "tags", serializers.JSONField()),
        (Object, "version", serializers.CharField()),
        (Object, "address", MomentField()),
        (Object, "version", serializers.FloatField()),
    ],
    ids=str,
)
def test_another_way_to_write_a_column_is_refused(
    model: type[models.Model], column: str, field: Any
) -> None:
    with pytest.raises(UnknownField):
        shown(model, **{column: field})


def test_what_is_known_is_not_refused() -> None:
    known = {
        "address": TextField(),
        "secret": TextField(write_only=True, source="search_words"),
        "city": PlaceSerializer(read_only=True),
        "made_by": serializers.UUIDField(source="created_by_id", read_only=True),
        "distance_m": serializers.FloatField(read_only=True),
    }
    assert shown(Object, annotated=(("distance_m", "k.distance_m"),), **known) == [
        "address", "city", "made_by", "distance_m",
    ]  # fmt: skip
    assert shown(Object, annotated=(("distance_m", ""),), **known) == ["address", "city", "made_by"]
    with pytest.raises(UnknownField):
        shown(Object, **known)


def test_an_annotation_that_people_could_write_is_refused() -> None:
    for field in (serializers.FloatField(), serializers.CharField(read_only=True)):
        with pytest.raises(UnknownField):
            shown(Object, annotated=(("distance_m", ""),), distance_m=field)


def test_masks_are_there_for_those_who_see_masks() -> None:
    plain, masked = (
        members_of(ObjectSerializer, Object, "r", masked=masked, annotated=(("distance_m", ""),))
        for masked in (False, True)
    )
    differing = [one.name for one, other in zip(plain, masked, strict=True) if one != other]
    assert differing == ["contact_phone"]


def test_every_address_is_readable() -> None:
    assert unreadable() == []


def test_the_check_speaks_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Worse(ObjectSerializer):
        address = Shouting()  # type: ignore[assignment]

    monkeypatch.setattr(ObjectViewSet, "serializer_class", Worse)
    found = [message for message in checks.run_checks() if message.id == "crm.E003"]
    assert [message.msg for message in found] == [
        "Worse.address: Shouting of a CharField has no SQL"
    ]
    assert issubclass(Altered, SummarySerializer)
