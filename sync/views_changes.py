"""sync/changes: what a phone pulls."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from crm.api.caller import caller_of
from crm.api.filters import parameters_of, refuse_unknown
from crm.api.schema_errors import RESYNC
from crm.errors import Invalid
from crm.users.models import User
from sync.changes_serializers import ChangesQuerySerializer, ChangesSerializer
from sync.cursors import ResyncRequired
from sync.entities import TABLES
from sync.feed import DEFAULT_LIMIT, MAX_LIMIT, pull
from sync.figures import PULLS, RESYNCS, counted

PARAMETERS = ("cursor", "since", "tables", "limit")
CHUNK_BYTES = 64 * 1024
# Twice as fast as the default, for a tenth more bytes.
GZIP_LEVEL = 3
GZIP_FORMAT = 16 + zlib.MAX_WBITS


class ChangesView(APIView):
    """The change feed."""

    permission_classes = (IsAuthenticated,)
    http_method_names = ["get", "post"]
    refuses = (RESYNC,)

    @extend_schema(
        operation_id="sync_changes",
        parameters=[
            OpenApiParameter(
                "cursor", OpenApiTypes.STR, description="`next_cursor` of the page before."
            ),
            OpenApiParameter(
                "since",
                OpenApiTypes.STR,
                description="A moment (ISO 8601), as a best effort; or a cursor.",
            ),
            OpenApiParameter(
                "tables",
                {"type": "array", "items": {"type": "string", "enum": [*TABLES]}},
                explode=False,
                description="All of them by default.",
            ),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            ),
        ],
        responses=ChangesSerializer,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """What changed for the caller since a cursor.

        Without a cursor from the beginning: the first sync of a phone. Pull until `has_more` is false. A
        row that left the caller's sight comes as a deletion with its reason.
        """
        given = parameters_of(request.query_params)
        refuse_unknown(given, PARAMETERS)
        words: dict[str, Any] = {name: value for name, value in given.items() if value != ""}
        limit = words.get("limit", "")
        if limit.isascii() and limit.isdigit():
            words["limit"] = int(limit[:9])
        return self.answer(request, words)

    @extend_schema(
        operation_id="sync_changes_post",
        request=ChangesQuerySerializer,
        responses=ChangesSerializer,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """The same with a JSON body, for clients that cannot send long addresses."""
        body = request.data
        if not isinstance(body, dict):
            raise Invalid({"__all__": _("A JSON object is expected.")})
        refuse_unknown(body, PARAMETERS)
        return self.answer(request, body)

    def answer(self, request: Request, words: dict[str, Any]) -> HttpResponseBase:
        """The page, streamed, compressed where the client accepts that."""
        asked = ChangesQuerySerializer(data=words)
        asked.is_valid(raise_exception=True)
        content = in_chunks(counted(begun(caller_of(request), asked.validated_data)))
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = StreamingHttpResponse(
            compressed(content) if zipped else content, content_type="application/json"
        )
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = "no-store"
        patch_vary_headers(response, ["Accept-Encoding"])
        return response


def begun(user: User, asked: dict[str, Any]) -> Iterator[bytes]:
    """The page asked for, or its refusal; both are counted. Raises ResyncRequired."""
    begin = "cursor" if asked["cursor"] else "since" if asked["since"] else "first"
    try:
        page = pull(user, **asked)
    except ResyncRequired as refusal:
        RESYNCS.add(reason=refusal.reason)
        raise
    PULLS.add(begin=begin)
    return page


def in_chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces worth sending."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= CHUNK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def compressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes as gzip."""
    zipper = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_FORMAT)
    for part in parts:
        yield zipper.compress(part)
    yield zipper.flush()
