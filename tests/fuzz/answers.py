"""What every answer must be, whatever was asked; and what a refused request must leave alone."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps

from crm.errors import Code

# No question of these sizes may take this long, on a slow machine with other work, either.
SECONDS = 10
# Who looked when, and which life of the database the feed is in: reading moves these.
UNMINDED = {
    "sync.FeedState",
    "users.Session",
    "sessions.Session",
    "contenttypes.ContentType",
    "auth.Permission",
}


def content(answer: Any) -> bytes:
    """The whole body, streamed or not."""
    return bytes(answer.getvalue() if answer.streaming else answer.content)


def sound(answer: Any, *statuses: int) -> bytes:
    """The body of an answer of the API that is no defect: JSON, and in the envelope when it refuses.

    statuses: the ones that it may have; none = any below 500.
    """
    body = content(answer)
    told = body[:2000].decode(errors="replace")
    assert answer.status_code < 500, told
    assert not statuses or answer.status_code in statuses, (answer.status_code, told)
    assert answer["X-Request-ID"]
    if answer.status_code >= 400:
        assert answer["Content-Type"].startswith("application/json"), told
        error = json.loads(body)["error"]
        assert error["code"] in list(Code), told
        assert error["message"].strip()
        assert error["request_id"] == answer["X-Request-ID"]
        assert len(body) < 200_000
    return body


@contextmanager
def in_time(seconds: float = SECONDS) -> Iterator[None]:
    """Fail when what is inside takes longer."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds, f"{took:.1f} s"


def everything() -> dict[str, list[Any]]:
    """All rows of all tables but those that reading moves."""
    return {
        model._meta.label: sorted(model._base_manager.values_list(), key=repr)
        for model in apps.get_models()
        if model._meta.managed and model._meta.label not in UNMINDED
    }


@contextmanager
def nothing_written() -> Iterator[None]:
    """Fail when what is inside changes a row of any table."""
    before = everything()
    yield
    after = everything()
    changed = [label for label, rows in after.items() if rows != before[label]]
    assert changed == [], changed
