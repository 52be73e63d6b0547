"""What tests about people share."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rest_framework.response import Response

from crm import changes
from crm.changes import Change
from tests.cast import PASSWORD, Cast

LOGIN, REFRESH = "/api/v1/auth/token", "/api/v1/auth/refresh"


def log_in(cast: Cast, email: str, password: str = PASSWORD, **extra: Any) -> Response:
    """A login as a client makes it."""
    body = {"username": email, "password": password}
    return cast.api(None).post(LOGIN, body, **extra)


def refresh(cast: Cast, token: str, **headers: str) -> Response:
    """A refresh as a client makes it."""
    return cast.api(None).post(REFRESH, {"refresh_token": token}, headers=headers)


def status_of_me(cast: Cast, access_token: str) -> int:
    """What the access token is still good for."""
    return (
        cast.api(None, authorization=f"Bearer {access_token}").get("/api/v1/users/me").status_code
    )


@pytest.fixture
def told() -> Iterator[list[Change]]:
    """What is reported to the change port during the test."""
    heard: list[Change] = []

    def listener(reported: Sequence[Change]) -> None:
        heard.extend(reported)

    changes.listen(listener)
    yield heard
    changes.forget(listener)
