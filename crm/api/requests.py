"""Requests whose parameters are UTF-8, whatever character set their Content-Type claims.

Django decodes the query string by that claim while it makes the request, before any middleware: a codec
that is none for text (`charset=rot13`) would be an error of the server, without our envelope.
"""

from typing import Any

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest
from django.utils.http import parse_header_parameters


class Utf8(HttpRequest):
    """Leaves the character set to the parsers of bodies."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(
            meta.get("CONTENT_TYPE", "")
        )


class Utf8WSGIRequest(Utf8, WSGIRequest):
    """By WSGI."""


class Utf8ASGIRequest(Utf8, ASGIRequest):
    """By ASGI."""


class Utf8WSGIHandler(WSGIHandler):
    """The WSGI application."""

    request_class = Utf8WSGIRequest


class Utf8ASGIHandler(ASGIHandler):
    """The ASGI application."""

    request_class = Utf8ASGIRequest
