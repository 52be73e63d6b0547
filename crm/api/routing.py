"""Addresses of an app's endpoints, without a trailing slash (both forms arrive here as one)."""

from typing import Any

from django.urls import URLPattern, URLResolver
from rest_framework.routers import DynamicRoute, Route, SimpleRouter
from rest_framework.viewsets import GenericViewSet


class Router(SimpleRouter):
    """Lists, details, restore and whatever actions a viewset declares."""

    routes = [
        Route(
            "^{prefix}$",
            {"get": "list", "post": "create"},
            "{basename}-list",
            False,
            {"suffix": "List"},
        ),
        DynamicRoute("^{prefix}/{url_path}$", "{basename}-{url_name}", False, {}),
        Route(
            "^{prefix}/{lookup}$",
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"},
            "{basename}-detail",
            True,
            {"suffix": "Instance"},
        ),
        Route("^{prefix}/{lookup}/restore$", {"post": "restore"}, "{basename}-restore", True, {}),
        DynamicRoute("^{prefix}/{lookup}/{url_path}$", "{basename}-{url_name}", True, {}),
    ]

    def __init__(self) -> None:
        super().__init__(trailing_slash=False)


def endpoints(**viewsets: type[GenericViewSet[Any]]) -> list[URLPattern | URLResolver]:
    """URL patterns for prefix → viewset."""
    router = Router()
    for prefix, viewset in viewsets.items():
        router.register(prefix, viewset, basename=prefix)
    return list(router.urls)
