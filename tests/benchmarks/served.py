"""What the measured server serves: the product as it is, and beside it the bare views and an empty one."""

from collections.abc import Callable, Iterable
from typing import Any

from crm.wsgi import application as product
from tests.benchmarks import bare


def with_an_empty_view() -> None:
    """Add one: authentication, permissions, throttling, and nothing else."""
    from django.urls import path
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from crm import urls

    class EmptyView(APIView):
        def get(self, request: Request) -> Response:
            return Response({})

    urls.API.insert(0, path("empty", EmptyView.as_view()))


with_an_empty_view()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application."""
    if environ["PATH_INFO"].startswith("/bare/"):
        return bare.application(environ, start_response)
    return product(environ, start_response)
