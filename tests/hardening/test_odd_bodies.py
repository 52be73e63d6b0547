"""Bodies that no person types: refused with a sentence, never a defect of the server's."""

import json
from typing import Any

import pytest

from tests.cast import Cast
from tests.contracts.envelope import refused

pytestmark = pytest.mark.django_db

NAME = "ул. Нелепая, д. 1"


def nested(depth: int, core: str = "1") -> str:
    """Lists in lists; orjson itself reads 1,023 of them."""
    return "[" * depth + core + "]" * depth


def sent(cast: Cast, path: str, field: str, value: str) -> Any:
    """The answer to a POST whose body is one field."""
    body = f'{{"{field}": {value}}}'
    return cast.api(cast.anna).generic(
        "POST", f"/api/v1/{path}", body, content_type="application/json"
    )


@pytest.mark.parametrize("depth", [65, 400, 600, 1000, 1020, 5000])
@pytest.mark.parametrize("core", ["1", '"\\u0000"'])
@pytest.mark.parametrize(
    ("path", "field"),
    [("objects", "type"), ("customers", "desired_price"), ("units", "attributes"), ("visits", "x")],
)
def test_nesting_without_end_is_malformed(
    cast: Cast, path: str, field: str, core: str, depth: int
) -> None:
    refused(sent(cast, path, field, nested(depth, core)), 400)


def test_nobody_needs_a_token_to_send_it(cast: Cast) -> None:
    body = f'{{"username": {nested(1000)}, "password": "x"}}'
    answer = cast.api(None).generic(
        "POST", "/api/v1/auth/token", body, content_type="application/json"
    )
    refused(answer, 400)


def test_what_people_send_is_not_nested_too_deeply(cast: Cast) -> None:
    deep: dict[str, Any] = {}
    for _ in range(31):
        deep = {"в": deep}
    body = {"object_id": str(cast.object().pk), "unit_number": "1", "attributes": deep}
    answer = cast.api(cast.anna).post("/api/v1/units", body, format="json")
    assert (answer.status_code, answer.json()["attributes"]) == (201, deep)


@pytest.mark.parametrize("where", ['"{}"', '{{"{}": 1}}', '["a", ["{}"]]'])
def test_nul_is_found_wherever_it_hides(cast: Cast, where: str) -> None:
    refused(sent(cast, "units", "attributes", where.format("\\u0000")), 400)


@pytest.mark.parametrize(
    ("path", "field"), [("customers", "interests"), ("visits", "interests"), ("objects", "tags")]
)
def test_a_long_list_of_nonsense_gets_a_short_answer(cast: Cast, path: str, field: str) -> None:
    answer = sent(cast, path, field, json.dumps(["nonsense", 7] * 5000))
    sentences = refused(answer, 422)["fields"]
    assert len(sentences[field]) == 1
    assert len(answer.content) < 1000


def test_true_is_not_one(cast: Cast) -> None:
    unit = cast.unit(cast.object(), attributes={"lift": 1, "doors": [0, {"open": 1}]})
    api, path = cast.api(cast.ivan), f"/api/v1/units/{unit.pk}"
    edit = {"lift": True, "doors": [False, {"open": True}]}
    body = api.patch(path, {"attributes": edit}, format="json").json()
    assert (json.dumps(body["attributes"], sort_keys=True), body["version"]) == (
        json.dumps(edit, sort_keys=True),
        2,
    )
    stale = api.patch(
        path, {"attributes": {"lift": 1, "doors": [0, {"open": 1}]}, "version": 1}, format="json"
    )
    assert refused(stale, 409)["diff"]["conflicting_fields"] == ["attributes"]


def test_an_address_that_grows_in_small_letters_must_still_fit(cast: Cast) -> None:
    body = {
        "email": "a@" + ".".join(["İ" * 60] * 4) + ".ru",
        "full_name": "Иван Иванов",
        "role": "ENGINEER",
        "password": "correct horse battery",
    }
    assert len(body["email"]) <= 254
    answer = cast.api(cast.anna).post("/api/v1/users", body, format="json")
    assert "email" in refused(answer, 422)["fields"]
