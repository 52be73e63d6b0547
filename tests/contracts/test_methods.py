"""Methods, addresses and media types that an endpoint does not know, and HEAD, which each of them does."""

import pytest

from tests.cast import Cast
from tests.contracts.envelope import refused

pytestmark = pytest.mark.django_db

LISTS = (
    "objects",
    "units",
    "customers",
    "visits",
    "users",
    "dictionaries/cities",
    "analytics/engineers",
)


@pytest.mark.parametrize("path", [*LISTS, "users/me", "objects/my-tasks"])
def test_head_is_get_without_its_body(cast: Cast, path: str) -> None:
    api = cast.api(cast.anna)
    head, get = api.head(f"/api/v1/{path}"), api.get(f"/api/v1/{path}/")
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head["Content-Type"] == get["Content-Type"] == "application/json"


def test_head_of_a_record_tells_its_version(cast: Cast) -> None:
    record = cast.object()
    answer = cast.api(cast.ivan).head(f"/api/v1/objects/{record.pk}")
    assert (answer.status_code, answer["ETag"]) == (200, '"1"')


@pytest.mark.parametrize("method", ["put", "options", "trace"])
def test_other_methods_are_refused_with_the_known_ones(cast: Cast, method: str) -> None:
    record = cast.object()
    for path in (f"/api/v1/objects/{record.pk}", f"/api/v1/objects/{record.pk}/"):
        answer = getattr(cast.api(cast.anna), method)(path)
        refused(answer, 405)
        assert answer["Allow"] == "GET, PATCH, DELETE, HEAD"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api/v1", "/api/v1/nothing/", "/static/nothing.js"]
)
def test_unknown_addresses_wear_the_envelope(cast: Cast, path: str) -> None:
    refused(cast.api(cast.anna).get(path), 404)
    refused(cast.api(None).get(path), 404)


@pytest.mark.parametrize(
    "accept", ["text/html,*/*;q=0.8", "text/html", "application/xml", "nonsense"]
)
def test_the_answer_is_json_whatever_is_asked(cast: Cast, accept: str) -> None:
    for path in ("/api/v1/objects", "/openapi.json"):
        answer = cast.api(cast.anna, accept=accept).get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    refused(cast.api(None, accept=accept).get("/api/v1/objects"), 401)


def test_a_format_is_a_parameter_like_any_other_unknown_one(cast: Cast) -> None:
    assert "format" in refused(cast.api(cast.anna).get("/api/v1/objects?format=xml"), 422)["fields"]


def test_only_lists_of_what_can_be_deleted_know_of_the_deleted(cast: Cast) -> None:
    api = cast.api(cast.anna)
    assert "deleted" in refused(api.get("/api/v1/users?deleted=true"), 422)["fields"]
    assert api.get("/api/v1/units?deleted=true").status_code == 200
