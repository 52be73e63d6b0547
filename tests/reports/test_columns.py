"""What a report can show."""

from typing import Any

import pytest
from django.utils import translation
from rest_framework import serializers

from clients.serializers import CustomerSerializer
from crm.api.fields import MaskedEmailField, PhoneField
from crm.errors import Invalid
from objects.serializers import ObjectSerializer, UnitSerializer
from reports.columns import ENTITIES, TITLES, Kind, catalogue, chosen
from visits.serializers import VisitSerializer

SERIALIZERS: dict[str, type[serializers.Serializer[Any]]] = {
    "objects": ObjectSerializer,
    "units": UnitSerializer,
    "customers": CustomerSerializer,
    "visits": VisitSerializer,
}
# Only there when the list is asked for what is near.
UNTOLD = {"distance_m"}


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_field_of_the_list_can_be_shown(entity: str) -> None:
    fields = SERIALIZERS[entity]().fields
    shown = {name for name, field in fields.items() if not field.write_only}
    assert shown - UNTOLD <= {column.key for column in catalogue(entity)}


@pytest.mark.parametrize("entity", ENTITIES)
def test_personal_data_is_known_as_such(entity: str) -> None:
    """By the column that it is in, on whatever way it is reached: masks go by the column's kind."""
    found = set()
    for name, field in SERIALIZERS[entity]().fields.items():
        inner = field.fields.items() if isinstance(field, serializers.Serializer) else ()
        for path, one in [(name, field), *((f"{name}__{key}", sub) for key, sub in inner)]:
            if isinstance(one, PhoneField | MaskedEmailField):
                found.add(path)
    paths = {column.path: column.personal for column in catalogue(entity)}
    assert all(personal == (path in found) for path, personal in paths.items())
    assert found <= set(paths)


@pytest.mark.parametrize("entity", ENTITIES)
def test_keys_and_labels_are_different(entity: str) -> None:
    columns = catalogue(entity)
    for language in ("ru", "en"):
        with translation.override(language):
            labels = [str(column.label) for column in columns]
            assert len(set(labels)) == len(columns)
            assert all(label[0].isupper() for label in labels)
            assert str(TITLES[entity])
    assert len({column.key for column in columns}) == len(columns)


def test_labels_follow_the_language() -> None:
    address = chosen("objects", ["address"])[0]
    with translation.override("ru"):
        assert str(address.label) == "Адрес"
    with translation.override("en"):
        assert str(address.label) == "Address"


def test_usual_columns() -> None:
    assert [column.key for column in chosen("objects", None)] == [
        "address", "type", "city", "district", "status", "responsible_user", "contact_name",
        "contact_phone", "visits_count", "last_visit_at", "tags", "updated_at",
    ]  # fmt: skip
    assert chosen("visits", []) == chosen("visits", None)


def test_chosen_columns_come_in_the_order_asked_for_each_once() -> None:
    keys = ["status", "id", "address", "status"]
    assert [column.key for column in chosen("objects", keys)] == ["status", "id", "address"]


@pytest.mark.parametrize(
    "keys", [["addres"], ["address", "search_text"], ["object"], [""], [["x"]]]
)
def test_unknown_columns_are_refused_by_name(keys: list[Any]) -> None:
    with pytest.raises(Invalid) as refused, translation.override("en"):
        chosen("objects", keys)
    sentence = str(refused.value.fields["columns"][0])
    assert "Unknown value" in sentence
    assert "address, type, city, district" in sentence


def test_unknown_entity_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        catalogue("users")
    assert "objects, visits, customers, units" in str(refused.value.fields["entity"][0])


def test_kinds_follow_the_fields() -> None:
    kinds = {column.key: column.kind for column in catalogue("customers")}
    assert kinds["phone"] is Kind.PHONE
    assert kinds["interests"] is Kind.LIST
    assert kinds["satisfied"] is Kind.BOOLEAN
    assert kinds["desired_price"] is Kind.MONEY
    assert kinds["notes"] is Kind.NOTE
    assert kinds["object_id"] is Kind.ID
    assert kinds["last_interaction_at"] is Kind.MOMENT
