"""The API against its own schema: made-up requests find no 500 and nothing undocumented.

Ids of records that exist are put where the schema asks for an id: with random ones alone everything would
end at a 404.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crm.api.schema_generation import schema_json
from crm.users import tokens
from crm.users.models import Session, User
from crm.wsgi import application
from tests.cast import Cast

pytestmark = pytest.mark.django_db

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = hypothesis_settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TAGS = [tag["name"] for tag in settings.SPECTACULAR_SETTINGS["TAGS"]]


@pytest.fixture(scope="module")
def schema() -> Any:
    loaded = schemathesis.openapi.from_dict(json.loads(schema_json()))
    loaded.app = application
    return loaded


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Requests come in this thread, inside the test's transaction: none may end its connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def known_ids(cast: Cast) -> dict[str, list[str]]:
    """Parameter or field → ids that exist; `id` of a path goes by its first word."""
    now = timezone.now()
    centre, north = cast.object(gps_lat=55.75, gps_lng=37.61), cast.object(district=cast.north)
    done = {"status": "DONE", "outcome_text": "Договорились", "next_action_due_at": now}
    found: dict[str, list[Any]] = {
        "objects": [centre, north, cast.object(deleted_at=now)],
        "units": [cast.unit(centre), cast.unit(north), cast.unit(centre, deleted_at=now)],
        "customers": [cast.customer(centre), cast.customer(centre, deleted_at=now)],
        "users": cast.everyone,
        "cities": [cast.moscow, cast.kazan],
        "districts": [cast.centre, cast.north],
    }
    found["visits"] = [
        cast.visit(centre, cast.ivan, unit=found["units"][0], customer=found["customers"][0]),
        cast.visit(centre, cast.ivan, status="IN_PROGRESS", started_at=now - timedelta(hours=1)),
        cast.visit(north, cast.ivan, **done),
    ]
    ids = {name: [str(record.pk) for record in records] for name, records in found.items()}
    singular = {"cities": "city"}
    ids |= {f"{singular.get(name, name[:-1])}_id": values for name, values in ids.items()}
    for name in ("engineer_id", "supervisor_id", "responsible_user_id"):
        ids[name] = ids["users"]
    return ids


def placed(values: Any, ids: dict[str, list[str]], chance: random.Random) -> Any:
    """The values, most of their references to records that exist."""
    if not isinstance(values, dict):
        return values
    return {
        name: chance.choice(ids[name]) if name in ids and chance.random() < 0.8 else value
        for name, value in values.items()
    }


def operations_of(schema: Any, tag: str) -> Iterator[Any]:
    """The operations with that tag."""
    for result in schema.get_all_operations():
        operation = result.ok()
        if tag in operation.tags:
            yield operation


def token_of(user: User) -> str:
    """An access token of a session that lives for a day."""
    now = timezone.now()
    session = Session.objects.create(user=user, issued_at=now, expires_at=now + timedelta(days=1))
    return tokens.mint(session).access_token


def ids_for(operation: Any, known: dict[str, list[str]]) -> dict[str, list[str]]:
    """The known ids, with those of the operation's own resource for the `id` in its path."""
    words = [word for word in operation.path.split("/")[3:] if not word.startswith("{")]
    resource = words[1] if words[0] == "dictionaries" else words[0]
    return {**known, "id": known.get(resource, [])} if resource in known else known


def try_out(
    operation: Any, mode: GenerationMode, ids: dict[str, list[str]], token: str
) -> Counter[int]:
    """Call an operation with made-up requests; how many answers of each status came. Raises failures."""
    statuses: Counter[int] = Counter()

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode), seed=st.integers(0, 2**32))
    def once(case: Any, seed: int) -> None:
        chance = random.Random(seed)
        case.path_parameters = placed(case.path_parameters, ids, chance)
        case.query = placed(case.query, ids, chance)
        case.body = placed(case.body, ids, chance)
        # What one example does must not be what the next one meets.
        with transaction.atomic():
            # In-process calls do not unpack what was compressed for a network.
            headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    once()
    return statuses


# What is no request by the schema is refused before anybody asks who sent it: one person is enough.
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("anna", GenerationMode.POSITIVE),
        ("ivan", GenerationMode.POSITIVE),
        ("anna", GenerationMode.NEGATIVE),
    ],
    ids=["anna", "ivan", "anna-negative"],
)
@pytest.mark.parametrize("tag", TAGS)
def test_no_answer_is_a_surprise(
    schema: Any,
    cast: Cast,
    known_ids: dict[str, list[str]],
    *,
    settings: Any,
    tag: str,
    name: str,
    mode: GenerationMode,
) -> None:
    settings.RATE_LIMIT_ENABLED = False
    token = token_of(getattr(cast, name))
    statuses: Counter[int] = Counter()
    surprises = []
    for operation in operations_of(schema, tag):
        try:
            statuses += try_out(operation, mode, ids_for(operation, known_ids), token)
        except (AssertionError, ExceptionGroup) as failure:
            surprises.append(f"{operation.label}: {failure!r}")
    assert not surprises, "\n\n".join(surprises)
    assert statuses
