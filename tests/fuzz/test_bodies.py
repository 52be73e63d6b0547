"""Every field of every body that the API takes, with every odd value; exports of what odd filters find."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.db import transaction

from crm.api.schema_generation import schema_json
from crm.jobs.kinds import kind_of
from crm.jobs.running import perform
from reports.models import ReportJob
from tests.cast import PASSWORD, Cast
from tests.fuzz.answers import in_time, sound
from tests.fuzz.effort import some
from tests.fuzz.hostile import TEXTS, TOKENS
from tests.reports.asking import EXPORT, KIND

# Their own tests: test_batch.py, test_cursors.py, test_tokens.py.
ELSEWHERE = {
    "/api/v1/sync/batch",
    "/api/v1/sync/changes",
    "/api/v1/auth/token",
    "/api/v1/auth/refresh",
}


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_json())
    return found


@cache
def taking() -> dict[tuple[str, str], list[str]]:
    """(method, path) → the fields of the JSON body that it takes."""
    found = {}
    for path, methods in schema()["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body and path not in ELSEWHERE:
                shape = body["schema"]
                if "$ref" in shape:
                    shape = schema()["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
                found[method, path] = list(shape.get("properties", {}))
    return found


def needed(path: str, ground: dict[str, str]) -> dict[str, Any]:
    """What a body needs besides the field that is tried."""
    bodies: dict[str, dict[str, Any]] = {
        "objects": {"type": "MKD", "address": "ул. Новая, д. 1", "city_id": ground["cities"]},
        "units": {"object_id": ground["objects"], "unit_number": "Новая"},
        "customers": {"object_id": ground["objects"], "full_name": "Новый"},
        "visits": {"object_id": ground["objects"]},
        "users": {"email": "new@crm.test", "full_name": "Новый", "role": "ENGINEER", "password": PASSWORD},
        "cities": {"name": "Тверь"},
        "districts": {"name": "Новый", "city_id": ground["cities"]},
        "complete": {"version": 1, "outcome_text": "Готово"},
        "password": {"old_password": PASSWORD, "new_password": "another horse battery"},
        "export": {"entity": "objects", "format": "csv"},
        "preview": {"entity": "objects"},
    }  # fmt: skip
    return bodies.get(path.rpartition("/")[2], {})


def texts(body: dict[str, Any], field: str, token: str) -> Iterator[str]:
    """The body as JSON text with the token in that field; with the field twice, too."""
    rest = [
        f"{json.dumps(name)}:{json.dumps(value)}" for name, value in body.items() if name != field
    ]
    yield "{" + ",".join([*rest, f"{json.dumps(field)}:{token}"]) + "}"


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), taking(), ids=lambda word: word)
def test_every_odd_value_of_every_field(
    cast: Cast, ground: dict[str, str], method: str, path: str
) -> None:
    words = path.split("/")
    address = path.replace("{id}", ground.get(words[4 if words[3] == "dictionaries" else 3], "x"))
    body = needed(path, ground) if method == "post" else {}
    for field in [*taking()[method, path], "unknown"]:
        for token in some(TOKENS, 4, method, path, field):
            for name in ("anna", "ivan") if len(token) % 3 == 0 else ("anna",):
                for text in texts(body, field, token):
                    with transaction.atomic():
                        api = cast.api(getattr(cast, name))
                        raw = text.encode("utf-8", "surrogatepass")
                        with in_time():
                            answer = api.generic(method.upper(), address, raw, "application/json")
                            told = sound(answer)
                        if (
                            method == "post"
                            and answer.status_code == 201
                            and "/reports/" not in path
                        ):
                            # What was taken can be read.
                            sound(api.get(f"{path}/{json.loads(told)['id']}"), 200)
                            sound(api.get(path), 200, 403)
                        elif method == "patch" and answer.status_code == 200:
                            sound(api.get(address), 200)
                        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), taking(), ids=lambda word: word)
def test_bodies_that_are_none(cast: Cast, ground: dict[str, str], method: str, path: str) -> None:
    words = path.split("/")
    address = path.replace("{id}", ground.get(words[4 if words[3] == "dictionaries" else 3], "x"))
    api = cast.api(cast.anna)
    bodies = [
        "",
        "null",
        "[]",
        "[[]]",
        '"x"',
        "1",
        "{",
        "{}x",
        '{"a":}',
        "\ufeff{}",
        "{}\x00",
        "[" * 500,
        "{'a':1}",
        '{"":1}',
    ]
    for body in bodies:
        with transaction.atomic():
            sound(api.generic(method.upper(), address, body, "application/json"))
            transaction.set_rollback(True)
    for kind in (
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ):
        with transaction.atomic():
            sound(api.generic(method.upper(), address, "{}", content_type=kind))
            transaction.set_rollback(True)


@cache
def filters_of(entity: str) -> list[str]:
    """The names that an export's filters may have."""
    query = schema()["paths"][f"/api/v1/{entity}"]["get"]["parameters"]
    left_out = {"sort", "page", "limit", "size", "cursor", "count"}
    return [p["name"] for p in query if p["in"] == "query" and p["name"] not in left_out]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("reports_path")
@pytest.mark.parametrize("entity", ["objects", "units", "customers", "visits"])
def test_an_export_is_refused_or_ends(cast: Cast, ground: dict[str, str], entity: str) -> None:
    """Whatever its filters: the job that was taken is done, or fails with a sentence."""
    api = cast.api(cast.sergei)
    taken = 0
    for name in filters_of(entity):
        for text in some(TEXTS, 8, entity, name):
            body = {
                "entity": entity,
                "format": "xlsx" if len(text) % 2 else "csv",
                "filters": {name: text},
            }
            with in_time():
                answer = api.post(EXPORT, body, format="json")
                job_of = json.loads(sound(answer, 200, 201, 400, 403, 422))
                if answer.status_code != 201:
                    continue
                taken += 1
                perform(kind_of(KIND), job_of["id"])
            job = ReportJob.objects.get(pk=job_of["id"])
            assert job.status in {"done", "failed"}, job.status
            assert job.status == "done" or job.error_message
    assert taken
