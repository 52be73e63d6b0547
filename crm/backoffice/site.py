"""The site: who may enter, how, and what everybody sees around every page."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.i18n import set_language
from unfold.sites import UnfoldAdminSite

from crm.backoffice import dashboard, pages
from crm.backoffice.autocomplete import OfficeAutocompleteView
from crm.backoffice.finding import found
from crm.backoffice.login import NOT_FOR_ENGINEERS, EntryForm, EntryView, OwnPasswordForm
from crm.backoffice.seats import admits, stand_up
from crm.users.models import User


class OfficeSite(UnfoldAdminSite):
    """Django's admin site with our door, our navigation, and only our own pages."""

    site_title = gettext_lazy("CRM")
    site_header = gettext_lazy("CRM")
    index_title = gettext_lazy("What needs me today")
    index_template = "backoffice/index.html"
    login_form = EntryForm
    enable_nav_sidebar = True
    empty_value_display = "—"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # It would delete rows past the services.
        self.disable_action("delete_selected")

    def register(
        self,
        model_or_iterable: type | ModelBase | Iterable[type],
        admin_class: type[Any] | None = None,
        **options: Any,
    ) -> None:
        """Register pages of ours. Those that libraries bring write past the services, and are left out."""
        if getattr(admin_class, "of_the_office", False):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """ADMIN and SUPERVISOR, as they are at this moment."""
        user = request.user
        return isinstance(user, User) and user.is_active and admits(user)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("language/", require_POST(set_language), name="language"),
            *pages.urls_of(self),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # The list of apps, which Django makes anew on every page, is not shown: navigation.py is.
        return {**super().each_context(request), "available_apps": []}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return []

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Django's own diary, which nobody writes: the trail is the audit's."""
        return []

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        cards = dashboard.cards_for(request)
        page: TemplateResponse = super().index(request, {**(extra_context or {}), "cards": cards})
        return page

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """What Ctrl+K finds; never from a cache, which would outlive a change of territory."""
        results = found(request, request.GET.get("s", ""))
        return TemplateResponse(request, "backoffice/found.html", {"results": results})

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is no page for an app: its parts are in the navigation."""
        return HttpResponseRedirect(reverse(f"{self.name}:index"))

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return OfficeAutocompleteView.as_view(admin_site=self)(request)

    @method_decorator([never_cache, sensitive_post_parameters("password")])
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The door. Whoever is in already goes on; an engineer is told why they cannot."""
        home = reverse(f"{self.name}:index")
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(home)
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "app_path": request.get_full_path(),
            **(extra_context or {}),
        }
        if request.method == "GET" and request.user.is_authenticated:
            messages.error(request, str(NOT_FOR_ENGINEERS))
        request.current_app = self.name
        return EntryView.as_view(
            authentication_form=EntryForm,
            template_name="backoffice/login.html",
            extra_context=context,
            next_page=home,
            redirect_field_name=REDIRECT_FIELD_NAME,
        )(request)

    @method_decorator(never_cache)
    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """End the session; only by a form, so that no link can do it."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        stand_up(request)
        messages.success(request, _("You have logged out."))
        return HttpResponseRedirect(reverse(f"{self.name}:login"))

    @method_decorator(sensitive_post_parameters())
    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One's own password. The other sessions end."""
        given = request.POST if request.method == "POST" else None
        form = OwnPasswordForm(request.user, given, request=request)
        if form.is_bound and form.is_valid():
            messages.success(
                request, _("The password is changed. You are logged out everywhere else.")
            )
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        context = {
            **self.each_context(request),
            "title": _("Change password"),
            "form": form,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "backoffice/password.html", context)
