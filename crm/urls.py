"""Every address of the product."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from crm import health
from crm.api import docs

handler400 = "crm.backoffice.errors.bad_request"
handler403 = "crm.backoffice.errors.permission_denied"
handler404 = "crm.backoffice.errors.page_not_found"
handler500 = "crm.backoffice.errors.server_error"

# In the order of how often they are asked for: each address is compared one after the other.
API = [
    path("", include("objects.urls")),
    path("", include("visits.urls")),
    path("", include("clients.urls")),
    path("", include("sync.urls")),
    path("", include("crm.users.urls")),
    path("", include("crm.territory.urls")),
    path("", include("audit.urls")),
    path("", include("reports.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(API)),
    path("admin", RedirectView.as_view(url="/admin/", permanent=False)),
    path("admin/", admin.site.urls),
    path("openapi.json", docs.openapi_json, name="openapi"),
    path("docs", docs.swagger),
    path("redoc", docs.redoc),
    path("health", health.health),
    path("ready", health.ready),
    path("metrics", health.metrics),
    path("worker/health", health.worker_health),
    path("worker/ready", health.worker_ready),
]
