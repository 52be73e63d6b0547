"""JSON as clients get it: UTF-8, Cyrillic readable, moments in UTC with Z."""

from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


def fallback(value: Any) -> Any:
    """What orjson does not know: lazy translations, decimals as numbers, and mappings of DRF."""
    if isinstance(value, Promise):
        return str(value)
    if hasattr(value, "as_integer_ratio"):
        return float(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "__iter__"):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def to_json(value: Any) -> bytes:
    """The JSON text of plain data; datetimes with `Z`."""
    return orjson.dumps(value, default=fallback, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


class Utf8JSONRenderer(BaseRenderer):
    """application/json, whatever the Accept header asks for."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        if data is None:
            return b""
        return to_json(data)


class JsonWhateverIsAsked(DefaultContentNegotiation):
    """A browser that opens an address asks for HTML: it gets JSON, too, rather than a refusal (RFC 9110)."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The view's first renderer."""
        return renderers[0], renderers[0].media_type
