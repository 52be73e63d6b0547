"""Headers that keep browsers from doing more with an answer than it is meant for.

What a page needs beyond that, its view or the back office says itself (`crm/api/docs.py`,
`crm/backoffice/middleware.py`): a header that is there already stays. See the OWASP HTTP Headers and REST
Security cheat sheets.
"""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# JSON and files: a browser that shows one by itself may run and load nothing.
POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PERMISSIONS: Final = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
EVERYWHERE: Final = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    # Django's SecurityMiddleware sets these two as well, but not for what is answered before it.
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
API: Final = "/api/"


class SafeHeadersMiddleware:
    """Puts them on every answer: pages, files, refusals, preflights, defects."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        headers = response.headers
        for name, value in EVERYWHERE.items():
            headers.setdefault(name, value)
        if request.path_info.startswith(API):
            # Somebody's data: kept by no proxy and no browser, unless the view has its own word on that.
            headers.setdefault("Cache-Control", "no-store")
        return response
