"""Soft deletion and restore: what one deletion takes, and exactly what its restore brings back."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from clients.models import Customer
from objects.models import Object, Unit
from tests.cast import Cast
from tests.contracts.envelope import invalid, refused
from visits.models import Visit

pytestmark = pytest.mark.django_db

KINDS: dict[str, type[Any]] = {
    "objects": Object, "units": Unit, "customers": Customer, "visits": Visit,
}  # fmt: skip


def totals(api: APIClient, **filters: str) -> dict[str, int]:
    """How many of each kind the caller's lists hold."""
    return {kind: api.get(f"/api/v1/{kind}", filters).json()["total"] for kind in KINDS}


def test_an_object_takes_along_what_hangs_on_it_under_one_deletion(cast: Cast) -> None:
    parent, other = cast.object(), cast.object()
    unit = cast.unit(parent)
    customer = cast.customer(parent, unit=unit)
    visit = cast.visit(parent, cast.ivan, unit=unit, customer=customer)
    hanging = {"objects": parent, "units": unit, "customers": customer, "visits": visit}
    spared = cast.customer(other)
    anna, ivan = cast.api(cast.anna), cast.api(cast.ivan)
    refused(ivan.delete(f"/api/v1/objects/{parent.pk}"), 403)
    answer = cast.api(cast.sergei).delete(f"/api/v1/objects/{parent.pk}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert totals(anna) == {"objects": 1, "units": 0, "customers": 1, "visits": 0}
    assert totals(anna, deleted="true") == dict.fromkeys(KINDS, 1)
    stamps = set()
    for kind, record in hanging.items():
        for api in (anna, ivan):
            path = f"/api/v1/{kind}/{record.pk}"
            refused(api.get(path), 404)
            refused(api.patch(path, {"version": 1, "force": True}), 404)
            refused(api.delete(path), 404)
        row = KINDS[kind].objects.get(pk=record.pk)
        stamps.add((row.deletion_id, row.deleted_at))
        assert row.version == 1
    assert len(stamps) == 1
    assert Customer.objects.get(pk=spared.pk).deleted_at is None
    assert anna.get("/api/v1/customers", {"q": customer.full_name}).json()["total"] == 0


def test_restore_brings_back_exactly_that_set(cast: Cast) -> None:
    parent = cast.object()
    early_unit, unit = cast.unit(parent), cast.unit(parent)
    customer = cast.customer(parent, unit=unit)
    visit = cast.visit(parent, cast.ivan, status="DONE", outcome_text="Да", customer=customer)
    api = cast.api(cast.anna)
    assert api.delete(f"/api/v1/units/{early_unit.pk}").status_code == 204
    before = {
        path: api.get(path).json()
        for path in (f"/api/v1/customers/{customer.pk}", f"/api/v1/visits/{visit.pk}")
    }
    assert api.delete(f"/api/v1/objects/{parent.pk}").status_code == 204
    refused(cast.api(cast.sergei).post(f"/api/v1/objects/{parent.pk}/restore"), 403)
    for kind, record in (("units", unit), ("customers", customer), ("visits", visit)):
        details = refused(api.post(f"/api/v1/{kind}/{record.pk}/restore"), 409)
        assert details == {"object_id": str(parent.pk)}
    body = api.post(f"/api/v1/objects/{parent.pk}/restore").json()
    assert (body["version"], body["visits_count"]) == (1, 1)
    assert totals(api) == dict.fromkeys(KINDS, 1)
    refused(api.get(f"/api/v1/units/{early_unit.pk}"), 404)
    for path, was in before.items():
        now = api.get(path).json()
        for shown in (was, now):
            del shown["updated_at"]
        assert now == was
    assert api.post(f"/api/v1/units/{early_unit.pk}/restore").status_code == 200
    assert not Object.objects.exclude(deletion_id=None).exists()


def test_restoring_what_lives_changes_nothing(cast: Cast) -> None:
    record = cast.object()
    api = cast.api(cast.anna)
    before = api.get(f"/api/v1/objects/{record.pk}").json()
    assert api.post(f"/api/v1/objects/{record.pk}/restore").json() == before
    refused(api.post("/api/v1/objects/0190a2b4-0000-7000-8000-000000000000/restore"), 404)
    refused(api.post("/api/v1/objects/nonsense/restore"), 404)


def test_a_restore_that_clashes_names_every_clash_and_brings_back_nothing(cast: Cast) -> None:
    parent, other = cast.object(), cast.object()
    customer = cast.customer(parent, phone="+79991234567")
    free = cast.customer(parent)
    api = cast.api(cast.anna)
    assert api.delete(f"/api/v1/objects/{parent.pk}").status_code == 204
    taker = cast.customer(other, phone="+79991234567")
    details = refused(api.post(f"/api/v1/objects/{parent.pk}/restore"), 409)
    assert details["clashes"] == [
        {
            "entity_type": "customer", "id": str(customer.pk), "field": "phone", "existing_id": str(taker.pk),
        }
    ]  # fmt: skip
    assert Object.objects.get(pk=parent.pk).deleted_at is not None
    assert Customer.objects.get(pk=free.pk).deleted_at is not None
    assert api.patch(f"/api/v1/customers/{taker.pk}", {"phone": None}).status_code == 200
    assert api.post(f"/api/v1/objects/{parent.pk}/restore").status_code == 200
    assert Customer.objects.get(pk=customer.pk).phone == "+79991234567"


def test_visits_keep_references_to_what_was_deleted_with_a_null_summary(cast: Cast) -> None:
    parent = cast.object()
    unit = cast.unit(parent)
    customer = cast.customer(parent, unit=unit)
    visit = cast.visit(parent, cast.ivan, unit=unit, customer=customer)
    api = cast.api(cast.ivan)
    sergei = cast.api(cast.sergei)
    for kind, record in (("units", unit), ("customers", customer)):
        assert sergei.delete(f"/api/v1/{kind}/{record.pk}").status_code == 204
    for body in (
        api.get(f"/api/v1/visits/{visit.pk}").json(),
        api.get("/api/v1/visits").json()["items"][0],
        api.patch(f"/api/v1/visits/{visit.pk}", {"interests": ["TV"]}).json(),
    ):
        assert (body["unit"], body["customer"]) == (None, None)
        assert (body["unit_id"], body["customer_id"]) == (str(unit.pk), str(customer.pk))
    # Sent back as they were they are no new references.
    same = {"unit_id": str(unit.pk), "customer_id": str(customer.pk), "status": "IN_PROGRESS"}
    assert api.patch(f"/api/v1/visits/{visit.pk}", same).status_code == 200
    assert api.get("/api/v1/visits", {"q": customer.full_name}).json()["total"] == 0
    new = {"object_id": str(parent.pk), "customer_id": str(customer.pk)}
    invalid(api.post("/api/v1/visits", new), "customer_id")
    assert cast.api(cast.anna).post(f"/api/v1/customers/{customer.pk}/restore").status_code == 200
    body = api.get(f"/api/v1/visits/{visit.pk}").json()
    assert body["customer"]["id"] == str(customer.pk)


def test_a_customer_keeps_the_reference_to_a_deleted_unit(cast: Cast) -> None:
    parent = cast.object()
    unit = cast.unit(parent)
    customer = cast.customer(parent, unit=unit)
    api = cast.api(cast.sergei)
    assert api.delete(f"/api/v1/units/{unit.pk}").status_code == 204
    body = api.patch(
        f"/api/v1/customers/{customer.pk}", {"unit_id": str(unit.pk), "notes": "x"}
    ).json()
    assert (body["unit"], body["unit_id"]) == (None, str(unit.pk))


@pytest.mark.parametrize("kind", KINDS)
def test_only_administrators_see_the_deleted(cast: Cast, kind: str) -> None:
    parent = cast.object()
    records = {
        "objects": parent, "units": cast.unit(parent), "customers": cast.customer(parent),
        "visits": cast.visit(parent, cast.ivan),
    }  # fmt: skip
    path = f"/api/v1/{kind}/{records[kind].pk}"
    assert cast.api(cast.sergei).delete(path).status_code == 204
    for user in (cast.sergei, cast.olga, cast.ivan):
        refused(cast.api(user).get(f"/api/v1/{kind}?deleted=true"), 403)
        refused(cast.api(user).post(f"{path}/restore"), 403)
        assert cast.api(user).get(f"/api/v1/{kind}?deleted=false").status_code == 200
    anna = cast.api(cast.anna)
    assert [r["id"] for r in anna.get(f"/api/v1/{kind}?deleted=true").json()["items"]] == [
        str(records[kind].pk)
    ]
    invalid(anna.get(f"/api/v1/{kind}?deleted=maybe"), "deleted")
    assert anna.post(f"{path}/restore/").status_code == 200
    assert anna.get(path).status_code == 200
