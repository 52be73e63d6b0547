"""Parameters in every spelling mean the same, and none is taken without a look."""

import pytest

from tests.cast import Cast
from tests.contracts.envelope import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("query", ["deleted=true", "filters[deleted]=true", "deleted=%20TRUE"])
def test_the_deleted_are_listed_in_either_spelling(cast: Cast, query: str) -> None:
    gone, _kept = cast.object(), cast.object()
    anna = cast.api(cast.anna)
    anna.delete(f"/api/v1/objects/{gone.pk}")
    listed = anna.get(f"/api/v1/objects?{query}").json()["items"]
    assert [item["id"] for item in listed] == [str(gone.pk)]
    refused(cast.api(cast.ivan).get(f"/api/v1/objects?{query}"), 403)


def test_an_empty_parameter_is_none(cast: Cast) -> None:
    cast.object()
    assert cast.api(cast.ivan).get("/api/v1/objects?deleted=&page=&sort=").json()["total"] == 1


def test_two_answers_to_one_question_are_refused(cast: Cast) -> None:
    refused(cast.api(cast.anna).get("/api/v1/objects?deleted=true&filters[deleted]=false"), 422)
    refused(cast.api(cast.anna).get("/api/v1/objects?deleted=true&deleted=false"), 422)


@pytest.mark.parametrize("query", ["limit=2&size=abc", "cursor=&size=2&limit=0", "limit=0&size=2"])
def test_the_size_that_is_not_used_is_checked_too(cast: Cast, query: str) -> None:
    refused(cast.api(cast.ivan).get(f"/api/v1/objects?{query}"), 422)
