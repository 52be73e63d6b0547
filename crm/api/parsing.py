"""JSON as it comes in: an object or a list, UTF-8, no NaN, no NUL characters."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from crm.errors import Malformed


class StrictJSONParser(BaseParser):
    """application/json by RFC 8259. Raises Malformed with a sentence for everything else."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read()
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Malformed(_("The request body is not valid JSON.")) from error
        # PostgreSQL's text cannot hold NUL, and no person types it.
        if b"\\u0000" in body and has_nul(data):
            raise Malformed(_("The request body contains a NUL character."))
        return data


def has_nul(value: Any) -> bool:
    """Whether any text inside holds U+0000."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(has_nul(k) or has_nul(v) for k, v in value.items())
    if isinstance(value, list):
        return any(has_nul(v) for v in value)
    return False
