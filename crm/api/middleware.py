"""What wraps every request, API or not: its name and origin, CORS, slashes, size, and the error envelope."""

from collections.abc import Callable
from io import BytesIO

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from crm.api.client import address_of, device_of, request_id_of, user_agent_of
from crm.api.errors import from_framework
from crm.api.refusing import error_of_status, is_page, refuse
from crm.api.unexpected import record
from crm.changes import Origin, current_origin, originating
from crm.errors import CallerError
from crm.watching import PROBES, Watch

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestContextMiddleware:
    """Gives each request its id and origin, and tells of it when it is answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        watch = Watch()
        origin = Origin(
            request_id=request_id_of(request),
            ip_address=address_of(request),
            user_agent=user_agent_of(request),
            device=device_of(request),
        )
        with originating(origin):
            response = self.get_response(request)
            response.headers["X-Request-ID"] = origin.request_id
            if isinstance(response, HttpResponse) and "Content-Length" not in response.headers:
                # Without it the server would have to send the body in chunks.
                response.headers["Content-Length"] = str(len(response.content))
            watch.answered(request, response, current_origin())
        return response


class CorsMiddleware:
    """Lets web clients from CORS_ORIGINS call the API, and read its errors.

    https://fetch.spec.whatwg.org/#http-cors-protocol
    """

    METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    ALLOWED = (
        "Accept, Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match,"
        " X-Device-ID, X-Request-ID"
    )
    EXPOSED = "ETag, Retry-After, X-Request-ID, Content-Disposition"
    PREFLIGHT_SECONDS = 3600

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_page(request):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        asked = request.headers.get("Access-Control-Request-Method", "")
        preflight = request.method == "OPTIONS" and bool(origin and asked)
        response = HttpResponse(status=204) if preflight else self.get_response(request)
        allowed = self.allowed(origin)
        if allowed:
            response.headers["Access-Control-Allow-Origin"] = allowed
            response.headers["Access-Control-Expose-Headers"] = self.EXPOSED
            if allowed != "*":
                response.headers["Access-Control-Allow-Credentials"] = "true"
            if preflight:
                del response.headers["Content-Type"]
                response.headers["Access-Control-Allow-Methods"] = self.METHODS
                response.headers["Access-Control-Allow-Headers"] = self.ALLOWED
                response.headers["Access-Control-Max-Age"] = str(self.PREFLIGHT_SECONDS)
        patch_vary_headers(response, ["Origin"])
        return response

    @staticmethod
    def allowed(origin: str) -> str:
        """What to answer that origin: itself, `*`, or nothing."""
        if not origin:
            return ""
        listed = {known.rstrip("/").lower() for known in settings.CORS_ORIGINS}
        if origin.lower() in listed:
            return origin
        return "*" if "*" in listed else ""


class SlashlessMiddleware:
    """`/objects/` is `/objects`, for every path and method. A redirect would lose the body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info != "/" and request.path_info.endswith("/") and not is_page(request):
            request.path_info = request.path_info[:-1]
            request.path = request.path[:-1]
        return self.get_response(request)


class BodyLimitMiddleware:
    """Refuses bodies above MAX_BODY_BYTES: by their announced length or, without one, while reading."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        limit = settings.MAX_BODY_BYTES
        length = request.META.get("CONTENT_LENGTH") or ""
        if length.isdecimal() and int(length) > self.limit_of(request):
            return self.refusal(request)
        if not length and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            # Django takes a body without a length for an empty one.
            stream = request.META.get("wsgi.input") or request._stream
            body = stream.read(limit + 1)
            if len(body) > limit:
                return refuse(request, 413)
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._stream = BytesIO(body)
        return self.get_response(request)

    @staticmethod
    def limit_of(request: HttpRequest) -> int:
        """How long an announced body may be: addresses that take files take more, of those with a cookie."""
        limit: int = settings.MAX_BODY_BYTES
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            limit = settings.LARGE_BODIES.get(request.path_info, limit)
        return limit

    @staticmethod
    def refusal(request: HttpRequest) -> HttpResponse:
        """The envelope, or a page where people read."""
        if not is_page(request):
            return refuse(request, 413)
        from crm.backoffice.errors import refusal_page  # noqa: PLC0415 - needs the apps

        return refusal_page(request, error_of_status(413))


class EnvelopeMiddleware:
    """What goes wrong outside of API views wears the envelope, too: unknown paths, foreign hosts, defects."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in PROBES:
            # Raises DisallowedHost. Probes come by address: a load balancer knows no name.
            try:
                request.get_host()
            except SuspiciousOperation:
                return refuse(request, 400)
        response = self.get_response(request)
        # What Django says by itself, in DEBUG or not, is a page.
        page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.status_code >= 400 and page and not is_page(request):  # noqa: PLR2004 - refusals
            refusal = refuse(request, response.status_code)
            if "Allow" in response.headers:
                refusal.headers["Allow"] = response.headers["Allow"]
            return refusal
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django's hook: an exception that a view did not turn into an answer."""
        if is_page(request):
            return None
        error = exception if isinstance(exception, CallerError) else from_framework(exception)
        if error is not None:
            return refuse(request, error)
        if isinstance(exception, SuspiciousOperation):
            return refuse(request, 400)
        record(request, exception)
        # Whoever watches for defects (and Django's test client) hears of it as ever.
        got_request_exception.send(sender=type(self), request=request)
        return refuse(request, 500)
