"""How many statements this thread has sent to the database: a number that only grows.

Whoever wants to know what a piece of work took looks before and after it.
"""

import threading
from collections.abc import Callable
from typing import Any


class _Sent(threading.local):
    number = 0


_sent = _Sent()


def sent() -> int:
    """Statements so far, in this thread."""
    return _sent.number


def count_statements(*, connection: Any, **_signal: Any) -> None:
    """Connected to each new connection: have its statements counted."""
    if _counting not in connection.execute_wrappers:
        connection.execute_wrappers.append(_counting)


def _counting(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Django's hook around every statement."""
    _sent.number += 1
    return execute(sql, params, many, context)
