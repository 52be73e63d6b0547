"""What a visit may refer to, who may plan it for whom, and what stays."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.contracts.envelope import invalid, refused
from visits.models import Visit

pytestmark = pytest.mark.django_db


def test_the_engineer_defaults_to_the_caller(cast: Cast) -> None:
    parent = cast.object()
    for user in (cast.ivan, cast.sergei, cast.anna):
        body = cast.api(user).post("/api/v1/visits", {"object_id": str(parent.pk)}).json()
        assert (body["engineer_id"], body["status"]) == (str(user.pk), "PLANNED")
        assert body["engineer"] == {"id": str(user.pk), "full_name": user.full_name}
        assert body["object"]["city"] == {"id": str(cast.moscow.pk), "name": "Москва"}


def test_unit_and_customer_must_be_of_the_object(cast: Cast) -> None:
    one, other = cast.object(), cast.object()
    unit, customer = cast.unit(other), cast.customer(other)
    api = cast.api(cast.ivan)
    base = {"object_id": str(one.pk)}
    invalid(api.post("/api/v1/visits", {**base, "unit_id": str(unit.pk)}), "unit_id")
    invalid(api.post("/api/v1/visits", {**base, "customer_id": str(customer.pk)}), "customer_id")
    visit = cast.visit(one, cast.ivan)
    path = f"/api/v1/visits/{visit.pk}"
    invalid(
        api.patch(path, {"unit_id": str(unit.pk), "customer_id": str(customer.pk)}),
        "unit_id",
        "customer_id",
    )
    own = {"unit_id": str(cast.unit(one).pk), "customer_id": str(cast.customer(one).pk)}
    body = api.patch(path, own).json()
    assert body["customer"]["phone"].startswith("+7 (***)")
    assert body["unit"]["id"] == own["unit_id"]


def test_references_outside_of_sight_are_like_those_that_do_not_exist(cast: Cast) -> None:
    foreign = cast.object(city=cast.kazan, district=cast.vakhitovsky)
    gone = cast.object()
    gone_unit = cast.unit(gone)
    assert cast.api(cast.anna).delete(f"/api/v1/objects/{gone.pk}").status_code == 204
    near = cast.object()
    dead_unit = cast.unit(near)
    assert cast.api(cast.anna).delete(f"/api/v1/units/{dead_unit.pk}").status_code == 204
    sentences = set()
    for user in (cast.ivan, cast.sergei):
        api = cast.api(user)
        for object_id in (foreign.pk, gone.pk, uuid4()):
            sentences.add(
                invalid(api.post("/api/v1/visits", {"object_id": str(object_id)}), "object_id")
            )
        for unit_id in (cast.unit(foreign).pk, gone_unit.pk, dead_unit.pk, uuid4()):
            body = {"object_id": str(near.pk), "unit_id": str(unit_id)}
            sentences.add(invalid(api.post("/api/v1/visits", body), "unit_id"))
        body = {"object_id": str(near.pk), "customer_id": str(cast.customer(foreign).pk)}
        sentences.add(invalid(api.post("/api/v1/visits", body), "customer_id"))
    assert len(sentences) == 1


def test_engineers_plan_for_themselves_supervisors_for_people_of_the_city(cast: Cast) -> None:
    parent = cast.object()
    body = {"object_id": str(parent.pk), "engineer_id": str(cast.pyotr.pk)}
    refused(cast.api(cast.ivan).post("/api/v1/visits", body), 403)
    # Pyotr need not have the object in his territory.
    visit = cast.api(cast.sergei).post("/api/v1/visits", body)
    assert visit.status_code == 201, visit.json()
    path = f"/api/v1/visits/{visit.json()['id']}"
    refused(cast.api(cast.pyotr).patch(path, {"engineer_id": str(cast.ivan.pk)}), 403)
    invalid(cast.api(cast.sergei).patch(path, {"engineer_id": str(cast.timur.pk)}), "engineer_id")
    assert cast.api(cast.anna).patch(path, {"engineer_id": str(cast.timur.pk)}).status_code == 200
    refused(cast.api(cast.pyotr).get(path), 404)
    assert cast.api(cast.timur).get(path).status_code == 200


def test_the_engineer_must_be_active(cast: Cast) -> None:
    type(cast.pyotr).objects.filter(pk=cast.pyotr.pk).update(is_active=False)
    body = {"object_id": str(cast.object().pk), "engineer_id": str(cast.pyotr.pk)}
    for user in (cast.sergei, cast.anna):
        invalid(cast.api(user).post("/api/v1/visits", body), "engineer_id")
    visit = cast.visit(cast.object(), cast.ivan)
    for user in (cast.sergei, cast.anna):
        answer = cast.api(user).patch(
            f"/api/v1/visits/{visit.pk}", {"engineer_id": str(cast.pyotr.pk)}
        )
        invalid(answer, "engineer_id")


def test_a_visit_of_somebody_who_left_can_still_be_edited(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    type(cast.ivan).objects.filter(pk=cast.ivan.pk).update(is_active=False)
    body = {"engineer_id": str(cast.ivan.pk), "status": "CANCELLED"}
    assert cast.api(cast.sergei).patch(f"/api/v1/visits/{visit.pk}", body).status_code == 200


def test_a_visit_changes_its_object_only_while_planned_and_not_by_an_engineer(cast: Cast) -> None:
    one, other = cast.object(), cast.object()
    foreign = cast.object(city=cast.kazan)
    visit = cast.visit(one, cast.ivan)
    path, move = f"/api/v1/visits/{visit.pk}", {"object_id": str(other.pk)}
    refused(cast.api(cast.ivan).patch(path, move), 403)
    assert cast.api(cast.ivan).patch(path, {"object_id": str(one.pk)}).status_code == 200
    invalid(cast.api(cast.sergei).patch(path, {"object_id": str(foreign.pk)}), "object_id")
    assert cast.api(cast.sergei).patch(path, move).json()["object"]["id"] == str(other.pk)
    assert cast.api(cast.ivan).post(f"{path}/start", {}).status_code == 200
    back = {"object_id": str(one.pk)}
    for user in (cast.sergei, cast.anna):
        invalid(cast.api(user).patch(path, back), "object_id")
    refused(cast.api(cast.ivan).patch(path, back), 403)


def test_a_visit_does_not_leave_its_unit_and_customer_behind(cast: Cast) -> None:
    one, other = cast.object(), cast.object()
    visit = cast.visit(one, cast.ivan, unit=cast.unit(one), customer=cast.customer(one))
    api, path = cast.api(cast.sergei), f"/api/v1/visits/{visit.pk}"
    invalid(api.patch(path, {"object_id": str(other.pk)}), "unit_id", "customer_id")
    move = {
        "object_id": str(other.pk),
        "unit_id": None,
        "customer_id": str(cast.customer(other).pk),
    }
    body = api.patch(path, move).json()
    assert (body["object_id"], body["unit"]) == (move["object_id"], None)
    # Moving and starting at once is still a move of a planned visit, but the visit is not planned any more.
    both = {"object_id": str(one.pk), "customer_id": None, "status": "IN_PROGRESS"}
    invalid(api.patch(path, both), "object_id")


def test_both_captured_coordinates_or_neither(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    api, path = cast.api(cast.ivan), f"/api/v1/visits/{visit.pk}"
    invalid(api.patch(path, {"geo_captured_lat": 55.7}), "geo_captured_lng")
    invalid(api.patch(path, {"geo_captured_lat": 90.1, "geo_captured_lng": 0}), "geo_captured_lat")
    assert api.patch(path, {"geo_captured_lat": -90, "geo_captured_lng": 180}).status_code == 200
    invalid(api.patch(path, {"geo_captured_lng": None}), "geo_captured_lng")
    assert api.patch(path, {"geo_captured_lat": None, "geo_captured_lng": None}).status_code == 200


def test_reminders_come_soonest_first_and_overdue_is_marked(cast: Cast) -> None:
    parent, now = cast.object(), timezone.now()
    due = {
        days: cast.visit(parent, cast.ivan, next_action_due_at=now + timedelta(days=days))
        for days in (5, -3, 1, 30)
    }
    cast.visit(parent, cast.ivan)
    cast.visit(parent, cast.pyotr, next_action_due_at=now)
    api = cast.api(cast.ivan)

    def listed(query: str) -> list[tuple[str, bool]]:
        answer = api.get(f"/api/v1/visits/reminders{query}")
        assert answer.status_code == 200, answer.json()
        return [(row["id"], row["overdue"]) for row in answer.json()["items"]]

    week = [(str(due[-3].pk), True), (str(due[1].pk), False), (str(due[5].pk), False)]
    assert listed("") == listed("?overdue=true") == listed("/?days_ahead=7&overdue=true") == week
    assert listed("?overdue=false") == week[1:]
    assert listed("?days_ahead=2") == week[:2]
    assert listed("?days_ahead=0") == week[:1]
    assert listed("?days_ahead=31") == [*week, (str(due[30].pk), False)]
    for bad in ("days_ahead=-1", "days_ahead=x", "overdue=maybe", "colour=red"):
        invalid(api.get(f"/api/v1/visits/reminders?{bad}"), bad.partition("=")[0])


def test_due_call_backs(cast: Cast) -> None:
    parent, now = cast.object(), timezone.now()
    late = cast.visit(parent, cast.ivan, next_action_due_at=now - timedelta(minutes=1))
    soon = cast.visit(parent, cast.ivan, next_action_due_at=now + timedelta(days=6))
    never = cast.visit(parent, cast.ivan)
    api = cast.api(cast.ivan)

    def found(query: str) -> set[str]:
        return {row["id"] for row in api.get(f"/api/v1/visits?{query}").json()["items"]}

    assert found("next_action_due=true") == {str(late.pk)}
    assert found("next_action_due=false") == {str(soon.pk), str(never.pk)}
    assert found("due_within=7d") == {str(late.pk), str(soon.pk)}
    assert found("filters[next_action_due]=true&due_within=12h") == {str(late.pk)}
    for bad in ("7", "-7d", "7w", "99999d"):
        invalid(api.get(f"/api/v1/visits?due_within={bad}"), "due_within")


def test_cancelling_a_visit_elsewhere_ends_the_sight_of_the_object(cast: Cast) -> None:
    foreign = cast.object(city=cast.kazan)
    customer = cast.customer(foreign)
    visit = cast.visit(foreign, cast.ivan)
    api = cast.api(cast.ivan)
    seen = [
        f"/api/v1/objects/{foreign.pk}", f"/api/v1/customers/{customer.pk}", f"/api/v1/visits/{visit.pk}",
    ]  # fmt: skip
    assert [api.get(path).status_code for path in seen] == [200] * 3
    assert api.post(f"/api/v1/visits/{visit.pk}/cancel", {"outcome_text": "Нет"}).status_code == 200
    assert [api.get(path).status_code for path in seen] == [404] * 3
    assert Visit.objects.get(pk=visit.pk).status == "CANCELLED"


def test_a_date_is_the_whole_local_day(cast: Cast) -> None:
    """In TIME_ZONE, Europe/Moscow: from 21:00 UTC of the day before."""
    parent = cast.object()
    at = {
        name: cast.visit(parent, cast.ivan, scheduled_at=datetime.fromisoformat(moment))
        for name, moment in {
            "before": "2026-03-09T20:59:59.999999+00:00",
            "first": "2026-03-09T21:00:00+00:00",
            "last": "2026-03-10T20:59:59.999999+00:00",
            "after": "2026-03-10T21:00:00+00:00",
        }.items()
    }
    names = {str(visit.pk): name for name, visit in at.items()}
    api = cast.api(cast.ivan)

    def found(query: str) -> list[str]:
        answer = api.get(f"/api/v1/visits?sort=scheduled_at&{query}")
        assert answer.status_code == 200, answer.json()
        return [names[row["id"]] for row in answer.json()["items"]]

    everything = ["before", "first", "last", "after"]
    assert found("date_from=2026-03-10&date_to=2026-03-10") == ["first", "last"]
    assert found("date_from=2026-03-10") == everything[1:]
    assert found("filters[date_to]=2026-03-10") == everything[:3]
    assert found("date_from=2026-03-11&date_to=2026-03-10") == []
    # A moment without an offset is UTC; a plus that was not encoded arrives as a space.
    assert found("date_from=2026-03-10T20:59:59.999999&date_to=2026-03-10T21:00:00") == [
        "last",
        "after",
    ]
    assert found("date_to=2026-03-10T00:00:00+03:00") == ["before", "first"]
    assert found("date_to=2026-03-10T00:00:00%2B03:00") == ["before", "first"]
    assert found("date_from=2026-03-10T21:00:00Z") == ["after"]


def test_a_date_in_a_body_is_its_local_midnight(cast: Cast) -> None:
    parent = cast.object()
    planned = cast.api(cast.ivan).post(
        "/api/v1/visits", {"object_id": str(parent.pk), "scheduled_at": "2027-03-01"}
    )
    assert planned.json()["scheduled_at"] == "2027-02-28T21:00:00Z"
    refused = cast.api(cast.ivan).post(
        "/api/v1/visits", {"object_id": str(parent.pk), "scheduled_at": "2027-02-30"}
    )
    assert refused.status_code == 422


def test_two_versions_that_differ_are_refused(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    answer = cast.api(cast.ivan).post(
        f"/api/v1/visits/{visit.pk}/start", {"version": 1}, headers={"if-match": '"2"'}
    )
    assert answer.status_code == 422


def test_a_time_that_the_visit_does_not_have_yet_is_refused(cast: Cast) -> None:
    """Dropped without a word, somebody would believe that it was kept."""
    api, house = cast.api(cast.ivan), cast.object()
    moment = "2026-01-01T08:00:00Z"
    for name in ("started_at", "finished_at"):
        invalid(api.post("/api/v1/visits", {"object_id": str(house.pk), name: moment}), name)
    visit = cast.visit(house, cast.ivan)
    path = f"/api/v1/visits/{visit.pk}"
    invalid(api.patch(path, {"started_at": moment, "outcome_text": "Да"}), "started_at")
    invalid(api.patch(path, {"status": "IN_PROGRESS", "finished_at": moment}), "finished_at")
    assert api.patch(path, {"started_at": None, "finished_at": None}).status_code == 200
    begun = api.patch(path, {"status": "IN_PROGRESS", "started_at": moment})
    assert begun.json()["started_at"] == moment
    invalid(api.patch(path, {"finished_at": moment}), "finished_at")
    body = {"status": "DONE", "outcome_text": "Да", "finished_at": moment}
    whole = api.patch(path, body).json()
    assert (whole["started_at"], whole["finished_at"]) == (moment, moment)
    # Reopening clears them; what comes back as it was is no time that anybody gave.
    again = cast.api(cast.sergei).patch(path, {**body, "status": "PLANNED", "started_at": moment})
    assert again.status_code == 200
    assert (again.json()["started_at"], again.json()["finished_at"]) == (None, None)
