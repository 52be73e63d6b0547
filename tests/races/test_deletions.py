"""Deletions and restores that meet other work: nothing live under a deleted object, and no deadlock."""

from collections.abc import Callable
from typing import Any

import pytest

from clients.models import Customer
from crm.changes import Action, Change, forget, listen
from objects.models import Object, Unit
from tests.cast import Cast
from tests.races.test_edits import THREADS, Together, codes
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 3


def live_below(parent: Object) -> int:
    """Live units, customers and visits of an object."""
    return sum(
        model.objects.filter(object=parent, deleted_at__isnull=True).count()
        for model in (Unit, Customer, Visit)
    )


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_nothing_is_born_under_a_deleted_object(
    cast: Cast, run_together: Together, round_: int
) -> None:
    parent = cast.object()
    base = {"object_id": str(parent.pk)}
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("units", {**base, "unit_number": "12"}), ("customers", {**base, "phone": "+79991234567"}),
        ("visits", base), ("visits", {**base, "status": "DONE", "outcome_text": "Да"}),
        ("customers", {**base, "full_name": "x"}), ("units", {**base, "unit_number": "13"}),
    ]  # fmt: skip
    apis = [cast.api(cast.ivan) for _ in bodies]
    sergei = cast.api(cast.sergei)
    creations: list[Callable[[], Any]] = [
        lambda api=api, kind=kind, body=body: api.post(f"/api/v1/{kind}", body)  # type: ignore[misc]
        for api, (kind, body) in zip(apis, bodies, strict=True)
    ]
    creations.insert(round_ * 3, lambda: sergei.delete(f"/api/v1/objects/{parent.pk}"))
    counted = codes(run_together(*creations))
    assert counted[204] == 1
    assert counted[201] + counted[422] == len(bodies)
    assert live_below(parent) == 0
    assert Object.objects.get(pk=parent.pk).visits_count == 0


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_deleting_while_visits_are_completed(
    cast: Cast, run_together: Together, round_: int
) -> None:
    parent = cast.object()
    customer = cast.customer(parent)
    visits = [cast.visit(parent, cast.ivan, customer=customer) for _ in range(6)]
    apis = [cast.api(cast.ivan) for _ in visits]
    sergei, anna = cast.api(cast.sergei), cast.api(cast.anna)
    body = {"version": 1, "outcome_text": "Готово"}
    work: list[Callable[[], Any]] = [
        lambda api=api, visit=visit: api.post(f"/api/v1/visits/{visit.pk}/complete", body)  # type: ignore[misc]
        for api, visit in zip(apis, visits, strict=True)
    ]
    work.insert(round_ * 3, lambda: sergei.delete(f"/api/v1/objects/{parent.pk}"))
    work.append(lambda: anna.patch(f"/api/v1/customers/{customer.pk}", {"notes": "x"}))
    counted = codes(run_together(*work))
    assert set(counted) <= {200, 204, 404}
    assert counted[204] == 1
    assert live_below(parent) == 0
    # The restored counters are those of the visits that were completed in time.
    assert anna.post(f"/api/v1/objects/{parent.pk}/restore").status_code == 200
    done = Visit.objects.filter(object=parent, status="DONE").count()
    assert Object.objects.get(pk=parent.pk).visits_count == done


def test_an_object_is_deleted_once(cast: Cast, run_together: Together) -> None:
    parent = cast.object()
    cast.unit(parent)
    apis = [cast.api(cast.sergei) for _ in range(THREADS)]
    heard: list[Change] = []

    def listener(changes: Any) -> None:
        heard.extend(changes)

    listen(listener)
    try:
        path = f"/api/v1/objects/{parent.pk}"
        counted = codes(run_together(*(lambda api=api: api.delete(path) for api in apis)))
    finally:
        forget(listener)
    assert counted == {204: 1, 404: THREADS - 1}
    assert [change.action for change in heard] == [Action.DELETE] * 2


def test_restores_that_meet_bring_back_once(cast: Cast, run_together: Together) -> None:
    parent = cast.object()
    cast.customer(parent, unit=cast.unit(parent))
    anna = cast.api(cast.anna)
    assert anna.delete(f"/api/v1/objects/{parent.pk}").status_code == 204
    apis = [cast.api(cast.anna) for _ in range(THREADS)]
    heard: list[Change] = []

    def listener(changes: Any) -> None:
        heard.extend(changes)

    listen(listener)
    try:
        path = f"/api/v1/objects/{parent.pk}/restore"
        counted = codes(run_together(*(lambda api=api: api.post(path) for api in apis)))
    finally:
        forget(listener)
    assert counted == {200: THREADS}
    assert live_below(parent) == 2
    assert [change.action for change in heard] == [Action.RESTORE] * 3


def test_of_restores_with_one_phone_only_one_comes_back(cast: Cast, run_together: Together) -> None:
    parent = cast.object()
    gone = []
    sergei = cast.api(cast.sergei)
    for _ in range(4):
        customer = cast.customer(parent, phone="+79991234567")
        assert sergei.delete(f"/api/v1/customers/{customer.pk}").status_code == 204
        gone.append(customer)
    apis = [cast.api(cast.anna) for _ in gone]
    answers = run_together(
        *(
            lambda api=api, customer=customer: api.post(f"/api/v1/customers/{customer.pk}/restore")
            for api, customer in zip(apis, gone, strict=True)
        )
    )
    assert codes(answers) == {200: 1, 409: 3}
    for answer in answers:
        if answer.status_code == 409:
            (clash,) = answer.json()["error"]["details"]["clashes"]
            assert clash["field"] == "phone"
    assert Customer.objects.filter(deleted_at__isnull=True).count() == 1


def test_restoring_a_child_while_its_object_is_deleted(cast: Cast, run_together: Together) -> None:
    parent = cast.object()
    units = [cast.unit(parent) for _ in range(4)]
    anna = cast.api(cast.anna)
    for unit in units:
        assert anna.delete(f"/api/v1/units/{unit.pk}").status_code == 204
    apis = [cast.api(cast.anna) for _ in units]
    answers = run_together(
        *(
            lambda api=api, unit=unit: api.post(f"/api/v1/units/{unit.pk}/restore")
            for api, unit in zip(apis, units, strict=True)
        ),
        lambda: anna.delete(f"/api/v1/objects/{parent.pk}"),
    )
    counted = codes(answers)
    assert counted[204] == 1
    assert counted[200] + counted[409] == 4
    assert live_below(parent) == 0


def test_a_flood_of_writers_meets_no_locked_database(cast: Cast, run_together: Together) -> None:
    parents = [cast.object() for _ in range(4)]
    apis = [cast.api(cast.sergei) for _ in range(12)]

    def busy(i: int) -> Callable[[], list[int]]:
        def work() -> list[int]:
            api, parent = apis[i], parents[i % 4]
            body = {"object_id": str(parent.pk), "phone": f"+7999{i:07d}"}
            customer = api.post("/api/v1/customers", body)
            visit = api.post("/api/v1/visits", {"object_id": str(parent.pk)}).json()
            done = {"version": 1, "outcome_text": "Да"}
            return [
                customer.status_code,
                api.get("/api/v1/objects?limit=1").status_code,
                api.post(f"/api/v1/visits/{visit['id']}/complete", done).status_code,
                api.patch(f"/api/v1/objects/{parent.pk}", {"tags": [str(i)]}).status_code,
                api.delete(f"/api/v1/customers/{customer.json()['id']}").status_code,
            ]

        return work

    assert run_together(*(busy(i) for i in range(12))) == [[201, 200, 200, 200, 204]] * 12
    assert [Object.objects.get(pk=p.pk).visits_count for p in parents] == [3] * 4
