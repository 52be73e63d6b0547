"""More requests than can be answered: those that have waited too long are refused at once.

A client that has given up is not helped by an answer, and who works off a queue of such requests answers
nobody in time. The proxy in front writes down when a request came (X-Request-Start, in milliseconds since
1970; the Caddyfile of docker-compose.yml does). One that is older than REQUEST_QUEUE_SECONDS by the time a
thread takes it up costs no query any more, only a 503 with Retry-After. Without the header nothing is.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from crm.api.refusing import refuse
from crm.errors import Unavailable
from crm.watching import PROBES

HEADER: Final = "X-Request-Start"
# Further off than this the clocks disagree, or somebody made the header up.
BELIEVABLE_SECONDS: Final = 600.0
# Clients that were refused together should not come back together.
RETRY_SECONDS: Final = (5, 30)


class WaitedTooLong:
    """Middleware: outermost but for what names the request, so that a refusal costs next to nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        most = settings.REQUEST_QUEUE_SECONDS
        # A load balancer that got a 503 from a probe would take the process out, and make things worse.
        if most and waited(request) > most and request.path_info not in PROBES:
            # Who comes back when is chance on purpose, and no secret.
            return refuse(request, Unavailable(retry_after=random.randint(*RETRY_SECONDS)))  # noqa: S311
        return self.get_response(request)


def waited(request: HttpRequest) -> float:
    """For how many seconds the request has waited; 0 when nobody can tell."""
    told = request.headers.get(HEADER, "")
    # Only a proxy of ours is believed: it overwrites what a client may have sent.
    if not settings.TRUSTED_PROXY_COUNT or not told.isascii() or not told.isdecimal():
        return 0.0
    age = time.time() - int(told[:16]) / 1000
    return age if 0 < age < BELIEVABLE_SECONDS else 0.0
