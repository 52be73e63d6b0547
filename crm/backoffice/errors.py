"""What people read in the back office when something cannot be shown or done: a page, not an envelope."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy

from crm.api import refusing
from crm.api.errors import headers_of
from crm.api.refusing import error_of_status, is_page
from crm.changes import current_origin
from crm.errors import CallerError, Sentence

# Of a form that no page of ours has sent as it is.
OUT_OF_DATE: Final[Sentence] = gettext_lazy(
    "This form is out of date. Go back, reload the page and send it again."
)


def refusal_page(request: HttpRequest, error: CallerError) -> HttpResponse:
    """The refusal as a page, in the language of the browser."""
    with translation.override(translation.get_language_from_request(request)):
        response = page(request, error.status, str(error.message))
        # When to try again, of an outage.
        for name, value in headers_of(error).items():
            response.headers[name] = value
        return response


def page(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """A page with one sentence. It needs neither database nor session: either may be what failed."""
    site: Any = admin.site
    context = {
        "title": sentence,
        "status": status,
        "sentence": sentence,
        "request_id": current_origin().request_id,
        "site_title": site.site_title,
    }
    return HttpResponse(
        render_to_string("backoffice/refusal.html", context, request), status=status
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400."""
    if is_page(request):
        return refusal_page(request, error_of_status(400))
    return refusing.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    if is_page(request):
        return refusal_page(request, error_of_status(403))
    return refusing.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    if is_page(request):
        return refusal_page(request, error_of_status(404))
    return refusing.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    if not is_page(request):
        return refusing.server_error(request)
    return refusal_page(request, refusing.error_at_hand(request))


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - a hook
    """Django's CSRF_FAILURE_VIEW: the form was opened before the last login, or comes from elsewhere."""
    with translation.override(translation.get_language_from_request(request)):
        return page(request, 403, str(OUT_OF_DATE))
