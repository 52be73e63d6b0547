"""An answer that the server neither reads nor closes does not hold up the thread's next request."""

from typing import Any

import pytest
from django.db import connection

from tests.cast import Cast
from tests.concurrency import run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("read", [0, 1])
def test_the_next_request_of_the_thread_is_answered(cast: Cast, read: int) -> None:
    for _ in range(5):
        cast.object()
    api = cast.api(cast.sergei)
    kept: list[Any] = []

    def requests() -> list[int]:
        answer = api.get("/api/v1/sync/changes")
        pieces = iter(answer.streaming_content)
        kept.extend((answer, pieces, [next(pieces) for _ in range(read)]))
        others = [api.get("/api/v1/objects"), api.get("/api/v1/sync/changes")]
        items = b"".join(others[1].streaming_content).count(b'"table_name":"objects"')
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return [each.status_code for each in (answer, *others)] + [items]

    assert run_together(requests) == [[200, 200, 200, 5]]
