"""Every address of the product."""

from django.urls import URLPattern, URLResolver, include, path

API = [
    path("", include("objects.urls")),
    path("", include("clients.urls")),
    path("", include("visits.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [path("api/v1/", include(API))]
