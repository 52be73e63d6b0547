"""What is measured: a piece of work done by the product, by a view without a framework, and by SQL alone."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Ask = Callable[[], bytes]
Call = Callable[[Any], object]


def nothing() -> None:
    """No preparation."""


@dataclass(frozen=True)
class Way:
    """One side of a piece of work: what is prepared before the clock runs, and what is timed.

    ask: makes the next HTTP request, whole; or else call, which is given what `prepare` makes.
    begin: called at the beginning of each round.
    """

    ask: Ask | None = None
    call: Call | None = None
    prepare: Callable[[], Any] = nothing
    begin: Callable[[], None] = nothing


@dataclass(frozen=True)
class Work:
    """One row of a table.

    ours: by the product. bare: by the bare view. raw: by SQL over a connection of its own.
    per: how many items one request handles; of more than one the table tells items in a second.
    tell: what the product's answer must be besides a success; raises SystemExit.
    """

    name: str
    ours: Way
    bare: Way | None = None
    raw: Way | None = None
    per: int = 1
    tell: Callable[[bytes], None] | None = None

    def ways(self) -> dict[str, Way]:
        """The sides that there are."""
        known = {"ours": self.ours, "bare": self.bare, "raw": self.raw}
        return {side: way for side, way in known.items() if way is not None}


def over_http(ask: Ask) -> Way:
    """A side that is asked over HTTP."""
    return Way(ask=ask)


def by_hand(call: Callable[[], object]) -> Way:
    """A side that is done without preparation."""
    return Way(call=lambda _: call())


def request(
    method: str,
    path: str,
    *,
    token: str = "",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """The bytes of an HTTP request."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept: */*", "Accept-Language: ru"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += (
        ["Content-Type: application/json", f"Content-Length: {len(content)}"] if content else []
    )
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def always(ready: bytes) -> Ask:
    """The same request each time."""
    return lambda: ready
