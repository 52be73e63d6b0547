"""The status rules through every door of the API: each from, each to, each role."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.contracts.envelope import invalid, refused
from visits.models import Visit
from visits.transitions import VisitStatus

pytestmark = pytest.mark.django_db

STATES = [str(status) for status in VisitStatus]
# Written down again on purpose: a test that reads the product's own table proves nothing.
MOVES = {
    "PLANNED": {"IN_PROGRESS", "DONE", "CANCELLED"},
    "IN_PROGRESS": {"DONE", "CANCELLED"},
    "DONE": set(),
    "CANCELLED": set(),
}
REOPENED = {"DONE": {"PLANNED"}, "CANCELLED": {"PLANNED"}}


def visit_in(cast: Cast, status: str) -> Visit:
    """Ivan's visit in that status, with the times that belong to it."""
    visit = cast.visit(cast.object(), cast.ivan)
    steps = {
        "IN_PROGRESS": {"status": "IN_PROGRESS", "started_at": timezone.now() - timedelta(hours=1)},
        "DONE": {"status": "DONE", "outcome_text": "Подключили"},
        "CANCELLED": {"status": "CANCELLED"},
    }
    if status in steps:
        Visit.objects.filter(pk=visit.pk).update(**steps[status])
        visit.refresh_from_db()
    return visit


@pytest.mark.parametrize("role", ["anna", "sergei", "ivan"])
@pytest.mark.parametrize("target", STATES)
@pytest.mark.parametrize("status", STATES)
def test_patch_moves_only_as_allowed(cast: Cast, status: str, target: str, role: str) -> None:
    visit = visit_in(cast, status)
    allowed = MOVES[status] | (set() if role == "ivan" else REOPENED.get(status, set()))
    body = {"status": target, "outcome_text": "Готово"} if target == "DONE" else {"status": target}
    answer = cast.api(getattr(cast, role)).patch(f"/api/v1/visits/{visit.pk}", body)
    if target == status or target in allowed:
        assert answer.status_code == 200, answer.json()
        assert answer.json()["status"] == target
        return
    sentence = invalid(answer, "status")
    named = {word for word in STATES if word in sentence.partition("Allowed:")[2]}
    assert named == allowed
    assert Visit.objects.get(pk=visit.pk).status == status


ACTIONS = {"start": "IN_PROGRESS", "complete": "DONE", "cancel": "CANCELLED", "reopen": "PLANNED"}


@pytest.mark.parametrize("role", ["anna", "sergei", "ivan"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", STATES)
def test_actions_obey_the_same_rules(cast: Cast, status: str, action: str, role: str) -> None:
    visit = visit_in(cast, status)
    target = ACTIONS[action]
    body: dict[str, Any] = {"version": visit.version}
    if action == "complete":
        body["outcome_text"] = "Готово"
    answer = cast.api(getattr(cast, role)).post(f"/api/v1/visits/{visit.pk}/{action}", body)
    if action == "reopen" and role == "ivan":
        refused(answer, 403)
        return
    allowed = MOVES[status] | (set() if role == "ivan" else REOPENED.get(status, set()))
    if target == status or target in allowed:
        assert answer.status_code == 200, answer.json()
        assert answer.json()["status"] == target
    else:
        invalid(answer, "status")


def test_reopening_forgets_the_times_and_keeps_the_outcome(cast: Cast) -> None:
    visit = visit_in(cast, "DONE")
    api = cast.api(cast.sergei)
    body = api.post(f"/api/v1/visits/{visit.pk}/reopen/", {}).json()
    assert (body["status"], body["started_at"], body["finished_at"]) == ("PLANNED", None, None)
    assert body["outcome_text"] == "Подключили"
    assert api.get(f"/api/v1/objects/{visit.object_id}").json()["visits_count"] == 0


def test_others_cannot_move_what_they_do_not_see(cast: Cast) -> None:
    visit = visit_in(cast, "PLANNED")
    for user in (cast.olga, cast.pyotr, cast.timur):
        for action in ACTIONS:
            body = {"version": 1, "outcome_text": "x"}
            refused(cast.api(user).post(f"/api/v1/visits/{visit.pk}/{action}", body), 404)
        refused(cast.api(user).patch(f"/api/v1/visits/{visit.pk}", {"status": "DONE"}), 404)


@pytest.mark.parametrize("outcome", [None, "", "   ", "\n\t", "\u00a0"])
def test_done_needs_an_outcome_through_every_door(cast: Cast, outcome: str | None) -> None:
    api = cast.api(cast.ivan)
    planned = visit_in(cast, "PLANNED")
    path = f"/api/v1/visits/{planned.pk}"
    invalid(api.post(f"{path}/complete", {"version": 1, "outcome_text": outcome}), "outcome_text")
    invalid(api.patch(path, {"status": "DONE", "outcome_text": outcome}), "outcome_text")
    created = {"object_id": str(planned.object_id), "status": "DONE", "outcome_text": outcome}
    invalid(api.post("/api/v1/visits", created), "outcome_text")
    done = visit_in(cast, "DONE")
    invalid(api.patch(f"/api/v1/visits/{done.pk}", {"outcome_text": outcome}), "outcome_text")


def test_done_without_naming_an_outcome_is_refused(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    visit = visit_in(cast, "PLANNED")
    invalid(api.patch(f"/api/v1/visits/{visit.pk}", {"status": "DONE"}), "outcome_text")
    invalid(api.post(f"/api/v1/visits/{visit.pk}/complete", {"version": 1}), "outcome_text")
    invalid(
        api.post("/api/v1/visits", {"object_id": str(visit.object_id), "status": "DONE"}),
        "outcome_text",
    )


def test_finishing_without_starting_sets_both_times(cast: Cast) -> None:
    visit = visit_in(cast, "PLANNED")
    begun = timezone.now()
    body = {"version": 1, "outcome_text": "Готово", "interests": ["TV", "TV", "INTERNET"]}
    answer = cast.api(cast.ivan).post(f"/api/v1/visits/{visit.pk}/complete", body).json()
    assert answer["started_at"] == answer["finished_at"]
    assert begun <= datetime.fromisoformat(answer["finished_at"]) <= timezone.now()
    assert (answer["version"], answer["interests"]) == (2, ["TV", "INTERNET"])


def test_completing_a_started_visit_keeps_its_start(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    path = f"/api/v1/visits/{visit_in(cast, 'PLANNED').pk}"
    started = api.post(f"{path}/start").json()
    assert started["finished_at"] is None
    done = api.post(f"{path}/complete", {"version": 2, "outcome_text": "Готово"}).json()
    assert done["started_at"] == started["started_at"] <= done["finished_at"]


def test_complete_as_cancelled(cast: Cast) -> None:
    visit = visit_in(cast, "PLANNED")
    body = {
        "version": 1, "status": "CANCELLED", "outcome_text": "Никого нет дома",
        "next_action_due_at": "2030-01-01T10:00:00+03:00", "geo_captured_lat": 55.7, "geo_captured_lng": 37.6,
    }  # fmt: skip
    answer = cast.api(cast.ivan).post(f"/api/v1/visits/{visit.pk}/complete", body).json()
    assert (answer["status"], answer["finished_at"]) == ("CANCELLED", None)
    assert answer["next_action_due_at"] == "2030-01-01T07:00:00Z"
    assert (answer["geo_captured_lat"], answer["geo_captured_lng"]) == (55.7, 37.6)


def test_complete_takes_done_or_cancelled_and_needs_a_version(cast: Cast) -> None:
    visit = visit_in(cast, "PLANNED")
    api, path = cast.api(cast.ivan), f"/api/v1/visits/{visit.pk}/complete"
    text = invalid(
        api.post(path, {"version": 1, "outcome_text": "x", "status": "PLANNED"}), "status"
    )
    assert "PLANNED" in text
    invalid(api.post(path, {"outcome_text": "x"}), "version")
    assert api.post(path, {"outcome_text": "x"}, headers={"if-match": '"1"'}).status_code == 200


@pytest.mark.parametrize("action", ACTIONS)
def test_moves_check_the_version(cast: Cast, action: str) -> None:
    visit = visit_in(cast, "DONE" if action == "reopen" else "PLANNED")
    api = cast.api(cast.anna)
    path = f"/api/v1/visits/{visit.pk}"
    assert api.patch(path, {"interests": ["TV"]}).json()["version"] == visit.version + 1
    for stale in (visit.version, visit.version + 7):
        body = {"version": stale, "outcome_text": "Готово"}
        diff = refused(api.post(f"{path}/{action}", body), 409)["diff"]
        assert (diff["expected_version"], diff["current_version"]) == (stale, visit.version + 1)
        assert diff["client_data"]["status"] == ACTIONS[action]
        assert diff["server_data"]["status"] == visit.status
    assert Visit.objects.get(pk=visit.pk).status == visit.status


def test_times_in_the_future_and_backwards_are_refused(cast: Cast) -> None:
    api = cast.api(cast.ivan)
    path = f"/api/v1/visits/{visit_in(cast, 'PLANNED').pk}"
    done = {"status": "DONE", "outcome_text": "Готово"}
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    invalid(api.patch(path, {**done, "finished_at": later}), "finished_at")
    backwards = {"started_at": "2026-01-02T10:00:00Z", "finished_at": "2026-01-01T10:00:00Z"}
    invalid(api.patch(path, {**done, **backwards}), "started_at")
    phone = {"started_at": "2026-01-01T10:00:00+03:00", "finished_at": "2026-01-01T11:00:00+03:00"}
    body = api.patch(path, {**done, **phone}).json()
    assert (body["started_at"], body["finished_at"]) == (
        "2026-01-01T07:00:00Z",
        "2026-01-01T08:00:00Z",
    )
    created = {"object_id": body["object_id"], **done, **phone}
    body = api.post("/api/v1/visits", created).json()
    assert body["finished_at"] == datetime(2026, 1, 1, 8, tzinfo=UTC).isoformat().replace(
        "+00:00", "Z"
    )


def test_counters_through_the_api(cast: Cast) -> None:
    parent = cast.object()
    customer = cast.customer(parent)
    api, anna = cast.api(cast.ivan), cast.api(cast.anna)
    object_path = f"/api/v1/objects/{parent.pk}"

    def counters() -> tuple[int, Any, Any]:
        body = anna.get(object_path).json()
        person = anna.get(f"/api/v1/customers/{customer.pk}").json()
        assert (body["version"], person["version"]) == (1, 1)
        return body["visits_count"], body["last_visit_at"], person["last_interaction_at"]

    assert counters() == (0, None, None)
    done = {
        "object_id": str(parent.pk), "customer_id": str(customer.pk), "status": "DONE", "outcome_text": "Да",
    }  # fmt: skip
    early = api.post("/api/v1/visits", {**done, "finished_at": "2026-01-01T10:00:00Z"}).json()
    late = api.post("/api/v1/visits", {**done, "finished_at": "2026-02-01T10:00:00Z"}).json()
    assert counters() == (2, late["finished_at"], late["finished_at"])
    assert anna.delete(f"/api/v1/visits/{late['id']}").status_code == 204
    assert counters() == (1, early["finished_at"], early["finished_at"])
    assert anna.post(f"/api/v1/visits/{late['id']}/restore").status_code == 200
    assert counters() == (2, late["finished_at"], late["finished_at"])
    for one in (early, late):
        assert anna.post(f"/api/v1/visits/{one['id']}/reopen").status_code == 200
    assert counters() == (0, None, None)
