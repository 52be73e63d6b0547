"""What is measured: a piece of work done by the product, by a view without a framework, and by SQL alone."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Ask = Callable[[], bytes]


@dataclass(frozen=True)
class Work:
    """One row of the table.

    ours: makes the next HTTP request to the product, whole. bare: the same to the bare view.
    raw: does it by SQL over a connection of its own. per: how many items one request handles.
    """

    name: str
    ours: Ask
    bare: Ask | None = None
    raw: Callable[[], object] | None = None
    per: int = 1
    sides: tuple[str, ...] = field(default=("ours", "bare", "raw"), repr=False)

    def ways(self) -> dict[str, Ask | Callable[[], object]]:
        """The sides that there are."""
        known: dict[str, Any] = {"ours": self.ours, "bare": self.bare, "raw": self.raw}
        return {side: known[side] for side in self.sides if known[side] is not None}


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
