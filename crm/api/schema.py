"""The OpenAPI schema: every parameter, every status, the error envelope on every operation.

What lists, details and writes have in common is said here once; views only say what is their own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

from crm.errors import Code

F = TypeVar("F", bound=Callable[..., Any])

KINDS = {
    "uuid": OpenApiTypes.UUID,
    "integer": OpenApiTypes.INT,
    "boolean": OpenApiTypes.BOOL,
    "string": OpenApiTypes.STR,
}

STATUS_MEANINGS = {
    400: "The request cannot be read (MALFORMED).",
    401: "No token, a dead one, or nobody any more (UNAUTHORIZED).",
    403: "The role does not allow it (FORBIDDEN).",
    404: "It does not exist or lies outside the caller's sight (NOT_FOUND).",
    405: "The path knows other methods (METHOD_NOT_ALLOWED).",
    409: "Another version, a duplicate, or a state that does not allow it (CONFLICT, DUPLICATE).",
    413: "The body is too large (PAYLOAD_TOO_LARGE).",
    415: "The body is of another media type (UNSUPPORTED_MEDIA_TYPE).",
    422: "A field, parameter or rule is broken (VALIDATION_ERROR).",
    429: "Too many requests; see Retry-After (RATE_LIMIT_EXCEEDED).",
    503: "Something that the server needs is away for the moment (SERVICE_UNAVAILABLE).",
}


class ErrorBodySerializer(serializers.Serializer[Any]):
    """The machine's part of a refusal."""

    code = serializers.ChoiceField(choices=[(code.value, code.value) for code in Code])
    message = serializers.CharField()
    details = serializers.DictField()
    request_id = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """The envelope of every refusal."""

    detail = serializers.CharField()
    error = ErrorBodySerializer()


def refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    """Documented error responses."""
    return {s: OpenApiResponse(ErrorSerializer, STATUS_MEANINGS[s]) for s in statuses}


def documented(
    *,
    listing: bool = False,
    parameters: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    body: Any = None,
) -> Callable[[F], F]:
    """Describe an extra action: its parameters (name → kind), its body, whether it answers as a list does.

    `body=False` means that it takes none.
    """

    def describe(function: F) -> F:
        function.schema_listing = listing  # type: ignore[attr-defined]
        options: dict[str, Any] = {
            "parameters": [
                OpenApiParameter(name, KINDS[kind], required=name in required)
                for name, kind in (parameters or {}).items()
            ]
        }
        if body is False:
            options["request"] = None
        elif body is not None:
            options["request"] = body
        return extend_schema(**options)(function)

    return describe


class EnvelopeSchema(AutoSchema):
    """The project's conventions, for drf-spectacular."""
