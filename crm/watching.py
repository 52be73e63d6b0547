"""What is told of each request: a line of the log, and figures. docs/monitoring.md says how to read them."""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from crm import tally
from crm.api.routes import route_of
from crm.changes import Origin
from crm.figures import Counter, Histogram
from crm.logs import facts_of, safe_path
from crm.statements import sent
from crm.tally import Number

access = logging.getLogger("crm.access")

PROBES: Final = frozenset({"/health", "/ready", "/metrics", "/worker/health", "/worker/ready"})
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
OTHER: Final = "other"

REQUESTS = Counter("crm_requests_total", "Requests answered.", method=(), route=(), status=())
SECONDS = Histogram(
    "crm_request_seconds",
    "From the arrival of a request until its answer was made; a streamed one until its end.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    method=(),
    route=(),
)


@lru_cache(maxsize=4096)
def series_of(
    method: str, route: str, status: str
) -> tuple[str, Callable[[float], tuple[tuple[str, Number], ...]]]:
    """What is counted for such a request: once, and by its seconds."""
    return (
        REQUESTS.field({"method": method, "route": route, "status": status}),
        SECONDS.series(method=method, route=route),
    )


class Watch:
    """Looks at one request, from its making on."""

    __slots__ = ("_began", "_sent")

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._sent = sent()

    def answered(self, request: HttpRequest, response: HttpResponseBase, origin: Origin) -> None:
        """Tell of it, once the answer is made; of a streamed one when it has ended.

        origin: as it is known by then, with the person who asked.
        """
        if response.streaming:
            # Django's own hook, which closes what an answer holds.
            response._resource_closers.append(  # type: ignore[attr-defined]
                lambda: self._tell(request, response, origin)
            )
        else:
            self._tell(request, response, origin)

    def _tell(self, request: HttpRequest, response: HttpResponseBase, origin: Origin) -> None:
        seconds = time.perf_counter() - self._began
        name = request.method or ""
        method = name if name in METHODS else OTHER
        route = route_of(request)
        one, spread = series_of(method, route, str(response.status_code))
        tally.add_all(((one, 1), *spread(seconds)))
        level = logging.DEBUG if request.path in PROBES else logging.INFO
        if access.isEnabledFor(level):
            path = safe_path(request.path)
            facts: dict[str, Any] = {
                "method": method,
                "path": path,
                "route": route,
                "status": response.status_code,
                "duration_ms": round(seconds * 1000, 1),
                "queries": sent() - self._sent,
                **facts_of(origin),
            }
            message = f"{method} {path} {response.status_code}"
            access.log(level, message, extra={"facts": facts})
