"""/openapi.json, /docs and /redoc. Pages and assets come from this server alone, never from elsewhere."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.api.schema_generation import schema_json

# Redoc would fetch a logo from its maker, and both pages whatever a description links as an image.
# Redoc searches in a worker that it makes from a blob; both style elements in place.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self';"
    " worker-src blob:; child-src blob:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@require_safe
def openapi_json(_request: HttpRequest) -> HttpResponse:
    """The OpenAPI schema."""
    return HttpResponse(schema_json(), content_type="application/json")


def page(request: HttpRequest, template: str) -> HttpResponse:
    """A page that may load nothing from elsewhere."""
    answer = render(request, template)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@require_safe
def swagger(request: HttpRequest) -> HttpResponse:
    """The API to try out, by Swagger UI."""
    return page(request, "crm/swagger.html")


@require_safe
def redoc(request: HttpRequest) -> HttpResponse:
    """The API to read, by Redoc."""
    return page(request, "crm/redoc.html")
