"""One voice for errors: the envelope that every refusal wears, and the handler that dresses it.

{"detail": sentence, "error": {"code", "message", "details", "request_id"}}
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from crm.api.rendering import to_json
from crm.changes import current_origin
from crm.db import violated_constraint
from crm.errors import (
    CallerError,
    Code,
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)

log = logging.getLogger("crm.errors")


def body_of(error: CallerError) -> dict[str, Any]:
    """The envelope. The existing web client looks for "(401)" and "(404)" at the sentence's end."""
    sentence = str(error.message)
    marked = f"{sentence} ({error.status})" if error.status in (401, 404) else sentence
    return {
        "detail": marked,
        "error": {
            "code": str(error.code),
            "message": marked,
            "details": error.details,
            "request_id": current_origin().request_id,
        },
    }


def headers_of(error: CallerError) -> dict[str, str]:
    """Headers that belong to a refusal."""
    headers = {}
    if isinstance(error, RateLimited | Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if error.status == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def envelope(error: CallerError) -> HttpResponse:
    """The refusal as a plain response, for code outside of API views."""
    return HttpResponse(
        to_json(body_of(error)),
        status=error.status,
        content_type="application/json",
        headers=headers_of(error),
    )


class OtherError(CallerError):
    """A refusal with a status and a code of its own."""

    def __init__(
        self, status_code: int, code: Code, message: str, details: Mapping[str, Any] | None = None
    ):
        super().__init__(message, details=details)
        self.status = status_code
        self.code = code


def internal_error() -> CallerError:
    """What a caller hears of our own defects: nothing."""
    return OtherError(
        500, Code.INTERNAL_ERROR, _("Something went wrong on the server. It has been recorded.")
    )


def field_sentences(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested error detail, flattened to field → sentences (`interests.0`)."""
    if isinstance(detail, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            path = ".".join(part for part in (prefix, own) if part)
            for key, sentences in field_sentences(inner, path).items():
                flat.setdefault(key, []).extend(sentences)
        return flat
    if isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        return field_sentences({str(i): item for i, item in enumerate(detail) if item}, prefix)
    sentences = [str(item) for item in detail] if isinstance(detail, list) else [str(detail)]
    return {prefix or "__all__": sentences}


# Django's and DRF's exceptions, and how each is said in our voice.
TRANSLATIONS: list[tuple[type[Exception], Callable[[Any], CallerError]]] = [
    (exceptions.ValidationError, lambda e: Invalid(field_sentences(e.detail))),
    (exceptions.ParseError, lambda e: Malformed(str(e.detail))),
    (exceptions.NotAuthenticated, lambda e: Unauthorized(str(e.detail))),
    (exceptions.AuthenticationFailed, lambda e: Unauthorized(str(e.detail))),
    (exceptions.PermissionDenied, lambda _e: Forbidden()),
    (PermissionDenied, lambda _e: Forbidden()),
    (exceptions.NotFound, lambda _e: NotFound()),
    (Http404, lambda _e: NotFound()),
    (
        exceptions.MethodNotAllowed,
        lambda e: OtherError(405, Code.METHOD_NOT_ALLOWED, str(e.detail)),
    ),
    (
        exceptions.UnsupportedMediaType,
        lambda e: OtherError(415, Code.UNSUPPORTED_MEDIA_TYPE, str(e.detail)),
    ),
    (exceptions.Throttled, lambda e: RateLimited(int(getattr(e, "wait", None) or 1))),
]


def from_framework(error: Exception) -> CallerError | None:
    """Django's and DRF's exceptions as ours; None when the defect is ours."""
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable() if is_outage(error) else None
    if isinstance(error, IntegrityError) and refers_to_nothing(error):
        return Conflict(_("A record that this refers to has just been deleted."))
    for kind, translate in TRANSLATIONS:
        if isinstance(error, kind):
            return translate(error)
    return None


def refers_to_nothing(error: IntegrityError) -> bool:
    """Whether a row that was there when it was looked up was gone at the end of the transaction."""
    violation = violated_constraint(error)
    return violation is not None and violation.kind == "foreign_key"


def is_outage(error: DatabaseError | InterfaceError) -> bool:
    """Whether the database is away or overloaded, rather than asked something wrong."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return True
    # Classes of the SQL standard's states: connection, resources, operator intervention, rolled back.
    return str(state)[:2] in {"08", "40", "53", "55", "57", "58"}


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook: any exception of a view as the envelope; None lets an unknown one rise (and be logged)."""
    view = context.get("view")
    refusal = error if isinstance(error, CallerError) else from_framework(error)
    if refusal is None:
        return None
    explain: Callable[[CallerError], CallerError] | None = getattr(view, "explain", None)
    if explain is not None:
        refusal = explain(refusal)
    set_rollback()
    return Response(body_of(refusal), status=refusal.status, headers=headers_of(refusal))
