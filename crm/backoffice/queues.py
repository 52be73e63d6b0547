"""django-rq's own pages, for administrators: what waits in Redis, and which workers there are.

What is decided there decides nothing: the rows of the jobs do (docs/decisions/jobs.md).
"""

import re
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError

from crm.backoffice import navigation, pages
from crm.backoffice.pages import reader
from crm.errors import Unavailable
from crm.users.models import User

TITLE: Final = gettext_lazy("Queues")
# It calls what Django's own script has not had since 3.2, and our policy would stop it anyway.
INLINE: Final = re.compile(rb'<script type="text/javascript">.*?</script>', re.DOTALL)
# How the library's views say that something does not exist, those of them that do not see to it. The last:
# pages of a scheduler that is not installed.
MISSING: Final = (NoSuchJobError, IndexError, ValueError, ImproperlyConfigured)


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
            request.library_title = TITLE  # type: ignore[attr-defined]
            try:
                answer = view(request, *args, **kwargs)
            except MISSING as error:
                # A job that has expired since the page was loaded, a queue or a worker that never was.
                raise Http404 from error
            except RedisError as error:
                raise Unavailable from error
            if not answer.streaming and "html" in answer.headers.get("Content-Type", ""):
                answer.content = INLINE.sub(b"", answer.content)
            return answer

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
        TITLE,
        "dns",
        "django_rq_home",
        order=90,
        allowed=allowed,
    )
)
