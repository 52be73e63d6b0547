"""What can go wrong because of a caller, as exceptions that every door understands.

Services raise them; the API turns them into its one envelope (crm.api.errors), commands and the back office
into sentences. The codes are stable: clients branch on them.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _

Sentence = str | Promise


class Code(StrEnum):
    """Stable error codes."""

    MALFORMED = "MALFORMED"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    CONFLICT = "CONFLICT"
    DUPLICATE = "DUPLICATE"
    RESYNC_REQUIRED = "RESYNC_REQUIRED"
    REPORT_EXPIRED = "REPORT_EXPIRED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class CallerError(Exception):
    """Something that the caller can understand and usually mend."""

    status = 400
    code = Code.MALFORMED

    def __init__(self, message: Sentence, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class Malformed(CallerError):
    """The request cannot be read at all."""


class Unauthorized(CallerError):
    """Nobody, or nobody any more."""

    status = 401
    code = Code.UNAUTHORIZED


class Forbidden(CallerError):
    """The role does not allow it."""

    status = 403
    code = Code.FORBIDDEN

    def __init__(
        self, message: Sentence | None = None, *, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message or _("You are not allowed to do this."), details=details)


class NotFound(CallerError):
    """It does not exist, or lies outside the caller's sight: the two look the same."""

    status = 404
    code = Code.NOT_FOUND

    def __init__(self, message: Sentence | None = None) -> None:
        super().__init__(message or _("Not found."))


class Invalid(CallerError):
    """The input breaks a rule: field → sentences."""

    status = 422
    code = Code.VALIDATION_ERROR

    def __init__(
        self, fields: Mapping[str, Sentence | Sequence[Sentence]], message: Sentence | None = None
    ) -> None:
        listed = {
            name: [value] if isinstance(value, str | Promise) else list(value)
            for name, value in fields.items()
        }
        super().__init__(message or _("Some fields are not valid."), details={"fields": listed})
        self.fields: dict[str, list[Sentence]] = listed


class Duplicate(CallerError):
    """A live record with this value exists. `existing_id` is told only to those who may see that record."""

    status = 409
    code = Code.DUPLICATE

    def __init__(self, message: Sentence, *, field: str, existing_id: UUID | None = None) -> None:
        details: dict[str, Any] = {"field": field}
        if existing_id is not None:
            details["existing_id"] = str(existing_id)
        super().__init__(message, details=details)
        self.field = field
        self.existing_id = existing_id


class Conflict(CallerError):
    """The state of things does not allow it now."""

    status = 409
    code = Code.CONFLICT


class RateLimited(CallerError):
    """Too many requests; `retry_after` seconds until the next one may pass."""

    status = 429
    code = Code.RATE_LIMIT_EXCEEDED

    def __init__(self, retry_after: int, message: Sentence | None = None) -> None:
        super().__init__(message or _("Too many requests. Try again later."))
        self.retry_after = max(1, retry_after)


class Unavailable(CallerError):
    """Something that the server needs is away for the moment."""

    status = 503
    code = Code.SERVICE_UNAVAILABLE

    def __init__(self, message: Sentence | None = None, *, retry_after: int = 5) -> None:
        super().__init__(message or _("The service is temporarily unavailable. Try again later."))
        self.retry_after = retry_after
