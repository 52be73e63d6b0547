"""An address as the code writes it, never as somebody typed it: it names no record and no person, and there
are only so many of them.
"""

import re
from functools import lru_cache
from typing import Final

from django.http import HttpRequest
from django.urls import ResolverMatch

STATIC: Final = "/static/"
# Nothing in the code answers there.
NOWHERE: Final = "none"


def route_of(request: HttpRequest) -> str:
    """The route that the request has come to: /api/v1/objects/<pk>."""
    match: ResolverMatch | None = request.resolver_match
    if match is not None:
        return readable(match.route)
    return STATIC if request.path_info.startswith(STATIC) else NOWHERE


@lru_cache(maxsize=1024)
def readable(route: str) -> str:
    """A route without its expressions: api/v1/^objects/(?P<pk>[^/]+)$ is /api/v1/objects/<pk>."""
    named = re.sub(r"\(\?P<(\w+)>(?:[^()\[]|\[[^\]]*\])*\)|<\w+:(\w+)>", r"<\1\2>", route)
    return "/" + re.sub(r"[\^$?]", "", named)
