"""The API against its own schema, for the roles that tests/contracts/test_schemathesis.py leaves out, and in
chains: what one answer names is what the next request asks about, as a client goes from page to page.

The links between operations are inferred from the schema: a visit's `customer_id` leads to that customer, a
created object to its edits, its deletion and its restoring.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import Phase, given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ensure_resource_availability, use_after_free

from tests.cast import Cast
from tests.contracts.test_schemathesis import CHECKS, TAGS, ids_for, operations_of, placed, token_of
from tests.fuzz.effort import HUNT, examples

pytestmark = pytest.mark.django_db

NOBODY = "nobody"
# Of a chain: what was deleted is gone, what was created is there.
CHAINED = [*CHECKS, use_after_free, ensure_resource_availability]
STEPS = 20
# Whoever is logged out in mid-chain learns nothing more; these have their own tests.
ENDS = {"/api/v1/auth/logout", "/api/v1/auth/password"}


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Requests come in this thread, inside the test's transaction: none may end its connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def headers_of(cast: Cast, name: str) -> dict[str, str]:
    """What somebody of the cast sends along; in-process calls do not unpack what was compressed."""
    plain = {"Accept-Encoding": "identity"}
    if name == NOBODY:
        return plain
    return {**plain, "Authorization": f"Bearer {token_of(getattr(cast, name))}"}


def try_out(
    operation: Any, mode: GenerationMode, ids: dict[str, list[str]], headers: dict[str, str]
) -> Counter[int]:
    """Call an operation with made-up requests; how many answers of each status came. Raises failures."""
    statuses: Counter[int] = Counter()

    @examples(2, Phase.generate)
    @given(case=operation.as_strategy(generation_mode=mode), seed=st.integers(0, 2**32))
    def once(case: Any, seed: int) -> None:
        chance = random.Random(seed)
        case.path_parameters = placed(case.path_parameters, ids, chance)
        case.query = placed(case.query, ids, chance)
        case.body = placed(case.body, ids, chance)
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    once()
    return statuses


@pytest.mark.parametrize(
    "who",
    [
        ("sergei", GenerationMode.POSITIVE),
        # Who sees none of the records that the requests are about.
        ("timur", GenerationMode.POSITIVE),
        (NOBODY, GenerationMode.POSITIVE),
        ("ivan", GenerationMode.NEGATIVE),
    ],
    ids=["sergei", "timur", "nobody", "ivan-negative"],
)
@pytest.mark.parametrize("tag", TAGS)
def test_no_answer_is_a_surprise(
    schema: Any,
    cast: Cast,
    known_ids: dict[str, list[str]],
    tag: str,
    who: tuple[str, GenerationMode],
) -> None:
    name, mode = who
    headers = headers_of(cast, name)
    statuses: Counter[int] = Counter()
    surprises = []
    for operation in operations_of(schema, tag):
        try:
            statuses += try_out(operation, mode, ids_for(operation, known_ids), headers)
        except (AssertionError, ExceptionGroup) as failure:
            surprises.append(f"{operation.label}: {failure!r}")
    assert not surprises, "\n\n".join(surprises)
    assert statuses
    if name == NOBODY:
        assert tag == "auth" or set(statuses) == {401}, statuses


@pytest.mark.parametrize("name", ["anna", "sergei", "ivan", NOBODY])
def test_no_chain_of_requests_is_a_surprise(
    schema: Any, cast: Cast, known_ids: dict[str, list[str]], name: str
) -> None:
    headers = headers_of(cast, name)
    statuses: Counter[int] = Counter()

    class Chain(schema.as_state_machine()):  # type: ignore[misc]
        """One client's requests, in a transaction that is rolled back."""

        def setup(self) -> None:
            self.chance = random.Random(len(statuses))
            self.whole = transaction.atomic()
            self.whole.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

        def before_call(self, case: Any) -> None:
            super().before_call(case)
            if case.meta is not None and self.chance.random() < 0.4:
                # A chain has to begin somewhere: with random ids it would end at its first 404.
                ids = ids_for(case.operation, known_ids)
                case.path_parameters = placed(case.path_parameters, ids, self.chance)
                case.query = placed(case.query, ids, self.chance)
                case.body = placed(case.body, ids, self.chance)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def call(self, case: Any, **kwargs: Any) -> Any:
            with transaction.atomic():
                answer = case.call(**kwargs)
                if case.operation.path in ENDS:
                    transaction.set_rollback(True)
            statuses[answer.status_code] += 1
            return answer

        def validate_response(self, response: Any, case: Any, **_kwargs: Any) -> None:
            case.validate_response(response, checks=CHAINED, recorder=self.recorder)

    Chain.run(settings=chains())
    assert sum(statuses.values()) > 10
    assert name == NOBODY or statuses[200] > 2, statuses
    assert not any(status >= 500 for status in statuses)


def chains() -> Any:
    """A few chains of some steps; a hunt makes as many as it is told, of forty."""
    from hypothesis import settings

    return settings(examples(10, Phase.generate), stateful_step_count=40 if HUNT else STEPS)
