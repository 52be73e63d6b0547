"""JSON as it comes in: an object or a list, UTF-8, no NaN, no NUL characters, not nested without end."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from crm.errors import Malformed

# The deepest thing that anybody sends is a flat's attributes (32) in a batch of edits (5). Beyond some
# hundreds Python's own functions give up, even the one that quotes a value in a sentence.
MAX_DEPTH: Final = 64


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
        brackets = body.count(b"[") + body.count(b"{")
        if brackets > MAX_DEPTH or b"\\u0000" in body:
            refuse_unstorable(data)
        return data


def refuse_unstorable(data: Any) -> None:
    """Raise Malformed for a value that holds NUL or is nested too deeply. Goes level by level."""
    level = [data]
    for _depth in range(MAX_DEPTH + 1):
        # PostgreSQL's text cannot hold NUL, and no person types it.
        if any(isinstance(one, str) and "\x00" in one for one in level):
            raise Malformed(_("The request body contains a NUL character."))
        held = [one for one in level if isinstance(one, dict | list)]
        level = [
            item
            for one in held
            for item in (one if isinstance(one, list) else (*one, *one.values()))
        ]
        if not level:
            return
    raise Malformed(
        _("The request body is nested more than %(limit)s levels deep.") % {"limit": MAX_DEPTH}
    )
