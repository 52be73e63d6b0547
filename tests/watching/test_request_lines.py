"""One line for each request: who, what, how long, how many statements; and nothing that somebody typed."""

import logging
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError
from django.test import Client

from crm.logs import JSONLines, TextLines, safe_path, washed
from tests.cast import Cast
from tests.office.desk import desk
from tests.watching.listening import listening

pytestmark = pytest.mark.django_db

API = "/api/v1"


def test_a_request_is_one_line(cast: Cast) -> None:
    place = cast.object()
    client = cast.api(cast.ivan)
    with listening() as log:
        answer = client.get(f"{API}/objects/{place.pk}", headers={"x-request-id": "r-1"})
    (line,) = log.of("crm.access")
    assert datetime.fromisoformat(line.pop("time")).utcoffset() is not None
    assert 0 < line.pop("duration_ms") < 60_000
    assert line == {
        "level": "INFO",
        "logger": "crm.access",
        "message": f"GET {API}/objects/{place.pk} 200",
        "method": "GET",
        "path": f"{API}/objects/{place.pk}",
        "route": "/api/v1/objects/<pk>",
        "status": answer.status_code,
        "queries": 2,
        "request_id": "r-1",
        "user_id": str(cast.ivan.pk),
        "role": "ENGINEER",
    }
    assert "\n" not in log.json[0]
    assert log.text[0].endswith(f"request_id=r-1 user_id={cast.ivan.pk} role=ENGINEER")


def test_statements_are_those_of_the_request_alone(cast: Cast) -> None:
    client = cast.api(cast.sergei)
    with listening() as log:
        for _ in range(3):
            client.get(f"{API}/users/me")
        client.get(f"{API}/analytics/summary")
        Client().get("/docs")
    queries = [line["queries"] for line in log.of("crm.access")]
    assert queries[:3] == [2, 2, 2]
    assert queries[3] > 2
    assert queries[4] == 0


@pytest.mark.django_db(transaction=True)
def test_a_streamed_answer_is_told_of_when_it_has_ended(cast: Cast) -> None:
    cast.object()
    client = cast.api(cast.ivan)
    with listening() as log:
        answer = client.get(f"{API}/sync/changes")
        assert log.of("crm.access") == []
        begun = len(answer.getvalue())
        answer.close()
    (line,) = log.of("crm.access")
    assert begun > 0
    assert (line["status"], line["role"]) == (200, "ENGINEER")
    # Caller, epoch, rows: what was asked while it streamed is counted along.
    assert line["queries"] >= 3


def test_strangers_have_no_name(cast: Cast) -> None:
    with listening() as log:
        Client().get(f"{API}/users/me")
        Client().post(f"{API}/auth/token", {"username": "ivan@crm.test", "password": "x"})
    for line in log.of("crm.access"):
        assert line["user_id"] is None
        assert line["role"] is None
        assert line["request_id"]


def test_people_at_a_desk_have_one(cast: Cast) -> None:
    client = desk(cast.sergei)
    with listening() as log:
        client.get("/admin/")
    (line,) = log.of("crm.access")
    assert (line["user_id"], line["role"]) == (str(cast.sergei.pk), "SUPERVISOR")
    assert line["route"] == "/admin/"


def test_probes_are_told_of_only_when_debugging() -> None:
    with listening() as log:
        Client().get("/health")
    assert log.records == []
    with listening(logging.DEBUG) as log:
        Client().get("/health")
    assert [line["route"] for line in log.of("crm.access")] == ["/health"]


RECORD = str(uuid4())


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"{API}/objects/{RECORD}/restore", f"{API}/objects/{RECORD}/restore"),
        (f"/objects/{RECORD.upper()}", f"/objects/{RECORD.upper()}"),
        ("/static/backoffice/office.css", "/static/backoffice/office.css"),
        ("/customers/+79161234567", "/customers/…"),
        ("/customers/79161234567", "/customers/…"),
        ("/users/ivan@crm.test", "/users/…"),
        ("/users/Иванов", "/users/…"),
        ("/reset/eyJhbGciOiJIUzI1NiJ9", "/reset/…"),
        ("/none\nforged line", "/…"),
        ("/" + "a/" * 5000 + "Z", "/" + "/".join("a" * 11)),
    ],
)
def test_paths(path: str, told: str) -> None:
    assert safe_path(path) == told


@pytest.mark.parametrize(
    "private",
    [
        "+79161234567",
        "+7 (916) 123-45-67",
        "89161234567",
        "8 (916) 123-45-67",
        "7 916 123 45 67",
        "+375 29 123-45-67",
        "ivan.petrov+crm@example.com",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "/users?q=Мария&page=2",
        "(full_name)=(Мария Петрова)",
        "postgres://crm:hunter2@db/crm",
    ],
)
def test_messages_are_washed(private: str) -> None:
    for text in (
        private,
        f"GET {private} failed",
        f"'{private}'",
        f"phone={private},",
        f"({private})",
    ):
        kept = washed(text)
        assert private not in kept
        for name in ("urllib3", "crm.tally"):
            line = record(name, text)
            assert private not in JSONLines().format(line) + TextLines().format(line)
        assert not any(word in kept for word in ("916", "123", "ivan", "Мария", "hunter2", "eyJ"))


@pytest.mark.parametrize(
    "harmless",
    [
        RECORD,
        "2026-03-02 09:00:11,123",
        "127.0.0.1:8000",
        "Redis is away (ConnectionError): counts wait in this process",
        "why? because",
        "/srv/crm/crm/api/errors.py:120 in exception_handler",
    ],
)
def test_what_is_nobodys_stays(harmless: str) -> None:
    assert washed(harmless) == harmless


def record(name: str, message: str, error: BaseException | None = None) -> logging.LogRecord:
    info: Any = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.ERROR, __file__, 1, message, (), info)


@pytest.mark.parametrize("kind", [JSONLines, TextLines])
def test_an_exception_is_its_class_and_its_lines(kind: type[logging.Formatter]) -> None:
    try:
        raise IntegrityError("Key (full_name)=(Мария Петрова) already exists")
    except IntegrityError as error:
        line = kind().format(record("rq.worker", "failed", error))
    assert "IntegrityError" in line
    assert "test_request_lines.py" in line
    assert "Мария" not in line


@pytest.mark.parametrize("kind", [JSONLines, TextLines])
def test_a_librarys_traceback_is_left_out(kind: type[logging.Formatter]) -> None:
    """RQ writes a traceback into its message, the exception's own words at its end."""
    line = kind().format(record("rq.worker", "[Job x]: exception\nTraceback …\nKeyError: 'Мария'"))
    assert "[Job x]: exception" in line
    assert "Мария" not in line
