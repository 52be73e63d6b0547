"""What clients saw: every answer, and what was promised by it."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

TIMEOUT_SECONDS: Final = 30
NO_ANSWER: Final = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. status: 0 when the connection broke; flaw: what is wrong with the answer."""

    who: str
    what: str
    status: int
    at: float
    seconds: float
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a value that nobody else writes. version: that of the record, when it was promised."""

    table: str
    record: str
    field: str
    value: Any
    version: int | None = None


@dataclass
class Witness:
    """The book that every client writes into. Thread-safe."""

    seen: list[Seen] = field(default_factory=list)
    promised: list[Write] = field(default_factory=list)
    # Answered by a refusal; never answered for (it may have happened, once).
    refused: list[Write] = field(default_factory=list)
    unknown: list[Write] = field(default_factory=list)
    created: list[tuple[str, str]] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def note(self, book: list[Any], entry: Any) -> None:
        """Write an entry into one of the lists."""
        with self.lock:
            book.append(entry)

    def saw(
        self,
        who: str,
        what: str,
        status: int,
        begun: float,
        *,
        headers: Any = None,
        body: Any = None,
    ) -> None:
        """An answer, or none."""
        now = time.monotonic()
        flaw = flaw_of(status, headers, body)
        self.note(self.seen, Seen(who, what, status, now, now - begun, flaw))

    def statuses(self) -> Counter[int]:
        """How many answers of each status; 0 is none."""
        return Counter(each.status for each in self.seen)


def flaw_of(status: int, headers: Any, body: Any) -> str:
    """What a refusal lacks of the envelope and its headers; and that a 500 is one."""
    if status >= 500 and status != 503:
        return f"an answer of {status}: {str(body)[:200]}"
    if status < 400:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or {"code", "message", "details", "request_id"} - error.keys():
        return f"a {status} without the envelope: {str(body)[:200]}"
    if status in (429, 503) and not str((headers or {}).get("Retry-After", "")).isdigit():
        return f"a {status} without Retry-After"
    return ""


@dataclass
class Caller:
    """A client of the API that tells the witness of everything. Raises OSError when there is no answer."""

    who: str
    port: int
    witness: Witness
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON (None when it is none)."""
        begun = time.monotonic()
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        what = f"{method} {path.partition('?')[0]}"
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            content = answer.read()
            if (
                answer.length is None
                and not answer.chunked
                and content == b""
                and answer.status != 204
            ):
                # Cut in the headers: what follows is not known to be missing.
                raise ConnectionError("half an answer")
        except (OSError, http.client.HTTPException) as error:
            self.witness.saw(self.who, what, NO_ANSWER, begun)
            raise ConnectionError(type(error).__name__) from error
        finally:
            connection.close()
        told = as_json(content)
        self.witness.saw(self.who, what, answer.status, begun, headers=answer.headers, body=told)
        return answer.status, told

    def log_in(self, email: str, password: str) -> int:
        """Get a token; the status."""
        status, body = self.ask(
            "POST", "/api/v1/auth/token", {"username": email, "password": password}
        )
        if status == 200:
            self.token = body["access_token"]
        return status


def as_json(content: bytes) -> Any:
    """What the body says; None when it is no JSON."""
    try:
        return json.loads(content)
    except ValueError:
        return None


@contextmanager
def writing(witness: Witness, write: Write) -> Iterator[list[int]]:
    """One attempt at a write: the block appends the status that it was answered with.

    Without an answer, or with one that says "try again", it may have happened.
    """
    statuses: list[int] = []
    try:
        yield statuses
    finally:
        status = statuses[-1] if statuses else NO_ANSWER
        if status == NO_ANSWER or status >= 500:
            witness.note(witness.unknown, write)
        elif status >= 400:
            witness.note(witness.refused, write)
