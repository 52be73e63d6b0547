"""Refusals outside of API views: the envelope in the caller's language, for any status."""

import sys

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from crm.api.errors import OtherError, envelope, from_framework, internal_error
from crm.api.unexpected import record
from crm.errors import CallerError, Code, Forbidden, Malformed, NotFound, Unauthorized, Unavailable


def is_page(request: HttpRequest) -> bool:
    """Whether the request is for people's pages: these have their own slashes, forms and error pages."""
    return f"{request.path_info}/".startswith("/admin/")


def error_of_status(status: int) -> CallerError:
    """What a bare HTTP status means in our words."""
    match status:
        case 401:
            return Unauthorized(_("Log in first."))
        case 403:
            return Forbidden()
        case 404:
            return NotFound()
        case 405:
            return OtherError(405, Code.METHOD_NOT_ALLOWED, _("This method is not allowed here."))
        case 413:
            return OtherError(413, Code.PAYLOAD_TOO_LARGE, _("The request body is too large."))
        case 503:
            return Unavailable()
        case _ if status < 500:  # noqa: PLR2004 - the caller's mistakes
            return Malformed(_("The request cannot be understood."))
    return internal_error()


def refuse(request: HttpRequest, error: CallerError | int) -> HttpResponse:
    """The refusal (or that of a bare status), in the language that the request asks for.

    Errors may come before Django has looked at Accept-Language, when the thread still speaks the language of
    another request.
    """
    with translation.override(translation.get_language_from_request(request)):
        return envelope(error_of_status(error) if isinstance(error, int) else error)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - a hook
    """Django's handler400."""
    return refuse(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - a hook
    """Django's handler403."""
    return refuse(request, 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - a hook
    """Django's handler404."""
    return refuse(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. View errors never get here; those of middleware do."""
    return refuse(request, error_at_hand(request))


def error_at_hand(request: HttpRequest) -> CallerError:
    """What the exception being handled comes to: an outage is said to be one, a defect is recorded."""
    defect = sys.exc_info()[1]
    outage = from_framework(defect) if isinstance(defect, Exception) else None
    if isinstance(outage, Unavailable):
        return outage
    if defect is not None:
        record(request, defect)
    return internal_error()
