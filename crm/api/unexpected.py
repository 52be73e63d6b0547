"""Our own defects in the log: what and where, without anybody's data.

A database's message quotes the values that it refused, a traceback's locals hold the request: neither is
written. The class of each exception in the chain and the lines of code are.
"""

import logging
import traceback
from collections.abc import Iterator

from django.http import HttpRequest

from crm.api.routes import route_of
from crm.changes import current_origin

log = logging.getLogger("crm.errors")


def record(request: HttpRequest, exception: BaseException) -> None:
    """Write the defect down."""
    log.error(
        "%s %s failed, request=%s\n%s",
        request.method,
        route_of(request),
        current_origin().request_id,
        "\n".join(account_of(exception)),
    )


def account_of(exception: BaseException) -> Iterator[str]:
    """The chain of exceptions, the last one first: class names, SQL states, and the lines of code."""
    seen: set[int] = set()
    current: BaseException | None = exception
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        state = getattr(current, "sqlstate", None)
        yield f"{kind.__module__}.{kind.__qualname__}" + (f" (SQLSTATE {state})" if state else "")
        for frame in traceback.extract_tb(current.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
