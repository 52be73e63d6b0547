"""Pages of the back office that are no list and no form of a model.

    @pages.page("map/", name="map", title=_("Map"))
    def office_map(request): return pages.render(request, "objects/map.html", {...})

Only those whom the site lets in get to the view; `allowed` narrows that down (404 for others).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.urls import include as library

from crm.errors import Sentence
from crm.users.models import User

View = Callable[..., HttpResponse]
Patterns = Callable[[admin.AdminSite], list[URLPattern]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. route: below /admin/, as in `django.urls.path`."""

    route: str
    name: str
    title: Sentence
    view: View
    allowed: Callable[[User], bool]


_pages: list[Page] = []
_included: dict[str, Patterns] = {}


def page(
    route: str, *, name: str, title: Sentence, allowed: Callable[[User], bool] = lambda _: True
) -> Callable[[View], View]:
    """Make a view a page at /admin/<route>, reversible as `admin:<name>`. Written in an app's admin.py."""

    def put(view: View) -> View:
        _pages.append(Page(route, name, title, view, allowed))
        return view

    return put


def reader(request: HttpRequest) -> User:
    """Who asks; the site has let nobody else through."""
    return cast("User", request.user)


def render(
    request: HttpRequest, template: str, context: dict[str, Any], *, title: Sentence = ""
) -> TemplateResponse:
    """A page with everything that stands around every page. The template extends `backoffice/page.html`."""
    site: Any = admin.site
    around = site.each_context(request)
    return TemplateResponse(request, template, {**around, "title": title, **context})


def include(route: str, patterns: Patterns) -> None:
    """Put a library's pages below /admin/<route>; it guards its views itself (`site.admin_view`)."""
    _included[route] = patterns


def urls_of(site: admin.AdminSite) -> list[URLPattern | URLResolver]:
    """The addresses of all pages."""
    return [
        *(path(one.route, site.admin_view(guarded(one)), name=one.name) for one in _pages),
        *(path(route, library(patterns(site))) for route, patterns in _included.items()),
    ]


def guarded(one: Page) -> View:
    """The view for those who are allowed; for the others the page does not exist."""

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not one.allowed(reader(request)):
            raise Http404
        return one.view(request, *args, **kwargs)

    return view
