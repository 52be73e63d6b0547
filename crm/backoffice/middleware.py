"""Browser sessions, for the back office alone: an API request does not even look at its cookies."""

import re
from collections.abc import Callable
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone

from crm.api.refusing import error_of_status
from crm.backoffice.errors import refusal_page
from crm.backoffice.seats import person_at
from crm.errors import CallerError
from crm.users.models import User

ROOT: Final = "/admin/"
# Alpine, which the theme is made with, compiles the expressions in its attributes; its colours are a style
# element in place. Nothing is loaded from elsewhere, except for the map's tiles.
POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:{tiles}; font-src 'self'; connect-src 'self'{tiles}; worker-src 'self' blob:;"
    " manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def in_office(request: HttpRequest) -> bool:
    """Whether the request is for the back office."""
    return f"{request.path_info}/".startswith(ROOT)


class InOffice:
    """Makes a middleware of Django's step aside for every other address."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if not in_office(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class OfficeSessions(InOffice, SessionMiddleware):
    """Django's sessions."""


class OfficeCsrf(InOffice, CsrfViewMiddleware):
    """Every form of the back office carries its token, whether its view asked for that or not."""

    def process_view(
        self,
        request: HttpRequest,
        callback: Callable[..., Any],
        callback_args: tuple[Any, ...],
        callback_kwargs: dict[str, Any],
    ) -> Any:
        if not in_office(request):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class OfficePeople(InOffice, AuthenticationMiddleware):
    """Who asks, and in whose local time the pages speak: the city's, or the company's."""

    def __call__(self, request: HttpRequest) -> Any:
        if not in_office(request):
            return self.get_response(request)
        person = person_at(request)
        request.user = person
        with timezone.override(zone_of(person)):
            return self.get_response(request)


class OfficeMessages(InOffice, MessageMiddleware):
    """Django's messages: what the last form did."""


class OfficePages(InOffice):
    """Headers of every page, and a page for what a view refuses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        response: HttpResponseBase = self.get_response(request)
        if in_office(request):
            response.headers.setdefault("Content-Security-Policy", policy())
            response.headers.setdefault("Cache-Control", "no-store, private")
            response.headers["X-Frame-Options"] = "DENY"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django's hook: what a service refused and no form could show, and what is not there."""
        if not in_office(request):
            return None
        if isinstance(exception, CallerError):
            return refusal_page(request, exception)
        status = {Http404: 404, PermissionDenied: 403}.get(type(exception))
        return None if status is None else refusal_page(request, error_of_status(status))


def zone_of(person: Any) -> ZoneInfo:
    """The local time of somebody's city; the company's for those who have none."""
    city = person.city if isinstance(person, User) else None
    return ZoneInfo(settings.TIME_ZONE if city is None else city.time_zone)


def policy() -> str:
    """The Content-Security-Policy, with the address of the map's tiles where one is set."""
    address = re.match(r"https?://[^/]+", settings.MAP_TILES_URL)
    tiles = "" if address is None else f" {address[0].replace('{s}', '*')}"
    return POLICY.format(tiles=tiles)
