"""Edits that meet: real threads, each with a connection of its own, through the whole API."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from clients.models import Customer
from objects.models import Object, Unit
from tests.cast import Cast
from tests.contracts.envelope import refused
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)

Together = Callable[..., list[Any]]
THREADS = 8


def codes(answers: list[Any]) -> Counter[int]:
    """How often each status was answered; what was raised is raised here."""
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        if answer.status_code >= 400:
            refused(answer, answer.status_code, answer.json()["error"]["code"])
    return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize("kind", ["objects", "units", "customers", "visits"])
def test_of_edits_with_one_version_exactly_one_wins(
    cast: Cast, run_together: Together, kind: str
) -> None:
    parent = cast.object()
    record, field = {
        "objects": (parent, "contact_name"),
        "units": (cast.unit(parent), "unit_number"),
        "customers": (cast.customer(parent), "notes"),
        "visits": (cast.visit(parent, cast.ivan), "outcome_text"),
    }[kind]
    users = [cast.anna, cast.sergei, cast.ivan]
    apis = [cast.api(users[i % 3]) for i in range(THREADS)]
    path = f"/api/v1/{kind}/{record.pk}"
    answers = run_together(
        *(
            lambda i=i: apis[i].patch(path, {field: f"правка {i}", "version": 1})
            for i in range(THREADS)
        )
    )
    assert codes(answers) == {200: 1, 409: THREADS - 1}
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    stored = type(record).objects.get(pk=record.pk)
    assert (stored.version, getattr(stored, field)) == (2, winner[field])
    for answer in answers:
        if answer.status_code == 409:
            diff = answer.json()["error"]["details"]["diff"]
            assert (diff["expected_version"], diff["current_version"]) == (1, 2)
            assert diff["diff"][field]["server"] == winner[field]


def test_edits_without_a_version_all_win_one_after_the_other(
    cast: Cast, run_together: Together
) -> None:
    record = cast.object()
    apis = [cast.api(cast.sergei) for _ in range(THREADS)]
    path = f"/api/v1/objects/{record.pk}"
    answers = run_together(
        *(lambda i=i: apis[i].patch(path, {"tags": [str(i)]}) for i in range(THREADS))
    )
    assert codes(answers) == {200: THREADS}
    assert Object.objects.get(pk=record.pk).version == THREADS + 1


def test_one_visit_is_completed_once(cast: Cast, run_together: Together) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    apis = [cast.api(cast.ivan) for _ in range(THREADS)]
    body = {"version": 1, "outcome_text": "Готово"}
    path = f"/api/v1/visits/{visit.pk}/complete"
    answers = run_together(*(lambda api=api: api.post(path, body) for api in apis))
    assert codes(answers) == {200: 1, 409: THREADS - 1}
    assert Object.objects.get(pk=visit.object_id).visits_count == 1


def test_all_visits_of_an_object_are_counted(cast: Cast, run_together: Together) -> None:
    parent = cast.object()
    customer = cast.customer(parent)
    visits = [cast.visit(parent, cast.ivan, customer=customer) for _ in range(THREADS)]
    apis = [cast.api(cast.ivan) for _ in visits]
    body = {"version": 1, "outcome_text": "Готово"}
    answers = run_together(
        *(
            lambda api=api, visit=visit: api.post(f"/api/v1/visits/{visit.pk}/complete", body)
            for api, visit in zip(apis, visits, strict=True)
        )
    )
    assert codes(answers) == {200: THREADS}
    record = Object.objects.get(pk=parent.pk)
    latest = Visit.objects.latest("finished_at").finished_at
    assert (record.visits_count, record.last_visit_at) == (THREADS, latest)
    assert Customer.objects.get(pk=customer.pk).last_interaction_at == latest


def test_of_customers_with_one_phone_exactly_one_is_created(
    cast: Cast, run_together: Together
) -> None:
    parents = [cast.object() for _ in range(THREADS)]
    apis = [cast.api(cast.sergei) for _ in parents]
    spellings = ["+79991234567", "8 (999) 123-45-67"]
    answers = run_together(
        *(
            lambda i=i: apis[i].post(
                "/api/v1/customers", {"object_id": str(parents[i].pk), "phone": spellings[i % 2]}
            )
            for i in range(THREADS)
        )
    )
    assert codes(answers) == {201: 1, 409: THREADS - 1}
    (created,) = (answer.json()["id"] for answer in answers if answer.status_code == 201)
    for answer in answers:
        if answer.status_code == 409:
            details = refused(answer, 409, "DUPLICATE")
            assert details == {"field": "phone", "existing_id": created}


def test_of_units_with_one_number_exactly_one_is_created(
    cast: Cast, run_together: Together
) -> None:
    parent = cast.object()
    apis = [cast.api(cast.ivan) for _ in range(THREADS)]
    body = {"object_id": str(parent.pk), "unit_number": "12"}
    answers = run_together(*(lambda api=api: api.post("/api/v1/units", body) for api in apis))
    assert codes(answers) == {201: 1, 409: THREADS - 1}
    assert Unit.objects.count() == 1


def test_two_phones_are_swapped_or_refused(cast: Cast, run_together: Together) -> None:
    one = cast.customer(cast.object(), phone="+79990000001")
    other = cast.customer(cast.object(), phone="+79990000002")
    apis = [cast.api(cast.sergei) for _ in range(2)]
    answers = run_together(
        lambda: apis[0].patch(f"/api/v1/customers/{one.pk}", {"phone": "+79990000002"}),
        lambda: apis[1].patch(f"/api/v1/customers/{other.pk}", {"phone": "+79990000001"}),
    )
    assert codes(answers) == {409: 2}


def test_visits_that_change_places_do_not_wait_in_a_circle(
    cast: Cast, run_together: Together
) -> None:
    one, other = cast.object(), cast.object()
    there = [cast.visit(one, cast.ivan) for _ in range(4)]
    back = [cast.visit(other, cast.ivan) for _ in range(4)]
    moves = [(v, other) for v in there] + [(v, one) for v in back]
    apis = [cast.api(cast.sergei) for _ in moves]
    answers = run_together(
        *(
            lambda api=api, visit=visit, target=target: api.patch(
                f"/api/v1/visits/{visit.pk}", {"object_id": str(target.pk)}
            )
            for api, (visit, target) in zip(apis, moves, strict=True)
        )
    )
    assert codes(answers) == {200: 8}
    assert (
        Visit.objects.filter(object=one).count() == Visit.objects.filter(object=other).count() == 4
    )
