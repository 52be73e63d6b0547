"""django-rq's own pages, for administrators: what waits in Redis, and which workers there are.

What is decided there decides nothing: the rows of the jobs do (docs/decisions/jobs.md).
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns

from crm.backoffice import navigation, pages
from crm.backoffice.pages import reader
from crm.users.models import User


def allowed(user: User) -> bool:
    """Administrators, where there is a Redis."""
    return user.is_admin and bool(settings.REDIS_URL)


def queues_of(site: Any) -> list[URLPattern]:
    """The addresses of those pages, behind our door."""

    def ours(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not allowed(reader(request)):
                raise Http404
            # Its links go by this.
            request.current_app = site.name
            return view(request, *args, **kwargs)

        guarded.__name__ = getattr(view, "__name__", "queue_page")
        wrapped: Callable[..., HttpResponse] = site.admin_view(guarded)
        return wrapped

    figures = [
        URLPattern(one.pattern, ours(one.callback), one.default_args, one.name)
        for one in get_api_urlpatterns(name_prefix="django_rq_")
    ]
    return [*figures, *get_admin_urlpatterns(name_prefix="django_rq_", view_wrapper=ours)]


pages.include("queues/", queues_of)
navigation.add(
    navigation.Entry(
        navigation.Group.CONTROL,
        gettext_lazy("Queues"),
        "dns",
        "django_rq_home",
        order=90,
        allowed=allowed,
    )
)
