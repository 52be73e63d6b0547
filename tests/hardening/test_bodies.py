"""No body is read further than it may be long, however it comes."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from crm.wsgi import application
from tests.cast import Cast
from tests.office.desk import LOGIN as OFFICE_DOOR

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 4096
TOKEN = "/api/v1/auth/token"


class Endless:
    """A body that never ends: `x` for ever. Counts what is taken."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        """So many bytes. Whoever wants all of it would wait for ever."""
        assert size >= 0, "reads until an end that never comes"
        self.taken += size
        return b"x" * size

    def readline(self, size: int = -1) -> bytes:
        """There are no lines in it."""
        return self.read(size)


@pytest.fixture(autouse=True)
def _small(settings: LazySettings) -> None:
    settings.MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT


def asked(path: str, **extra: Any) -> tuple[str, int]:
    """Status and bytes taken of an endless POST, through the application itself."""
    body = Endless()
    statuses = []

    def start_response(status: str, _headers: Any, _exc_info: Any = None) -> None:
        statuses.append(status)

    environ = RequestFactory()._base_environ(
        PATH_INFO=path, REQUEST_METHOD="POST", CONTENT_TYPE="application/json", **extra
    )
    environ["wsgi.input"] = body
    answer: Any = application(environ, start_response)
    b"".join(answer)
    answer.close()
    return statuses[0], body.taken


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}


@pytest.mark.parametrize("path", [TOKEN, OFFICE_DOOR, "/none", "/health", "/metrics"])
def test_without_a_length(path: str) -> None:
    status, taken = asked(path, **CHUNKED)
    assert status.startswith("413")
    assert taken <= LIMIT + 1


@pytest.mark.parametrize("coding", ["Chunked", "gzip, chunked", " chunked "])
def test_without_a_length_in_other_words(coding: str) -> None:
    status, taken = asked(TOKEN, HTTP_TRANSFER_ENCODING=coding, CONTENT_LENGTH="")
    assert status.startswith("413")
    assert taken <= LIMIT + 1


@pytest.mark.parametrize("length", [str(LIMIT + 1), str(10**18), "9" * 400])
def test_an_announced_length_is_refused_unread(length: str) -> None:
    status, taken = asked(TOKEN, CONTENT_LENGTH=length)
    assert status.startswith("413")
    assert taken == 0


@pytest.mark.parametrize("length", ["-1", "nonsense", "1e9", "٣"])
def test_a_length_that_is_none_is_no_body(length: str) -> None:
    status, taken = asked(TOKEN, CONTENT_LENGTH=length)
    assert status[:3] in {"400", "413", "422"}
    assert taken <= LIMIT + 1


def test_without_coding_and_length_there_is_no_body() -> None:
    status, taken = asked(TOKEN, CONTENT_LENGTH="")
    assert status.startswith(("400", "422"))
    assert taken == 0


@pytest.mark.parametrize("cookie", ["", "crm_office=made-up"])
def test_only_where_files_are_taken_more_is_read(
    cast: Cast, settings: LazySettings, cookie: str
) -> None:
    """A made-up cookie opens the larger limit at that address alone, and never an unlimited one."""
    settings.LARGE_BODIES = {"/admin/imports/": 3 * LIMIT}
    for path, length, refused in (
        ("/admin/imports/", 2 * LIMIT, not cookie),
        ("/admin/imports/", 4 * LIMIT, True),
        (OFFICE_DOOR, 2 * LIMIT, True),
        (TOKEN, 2 * LIMIT, True),
    ):
        status, _taken = asked(path, CONTENT_LENGTH=str(length), HTTP_COOKIE=cookie)
        assert status.startswith("413") == refused, (path, length, status)
