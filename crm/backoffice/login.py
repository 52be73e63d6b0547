"""The forms at the door: logging in by e-mail, and one's own new password."""

from datetime import timedelta
from secrets import token_urlsafe
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import BASE_INPUT_CLASSES

from crm.api.client import device_of
from crm.backoffice.seats import seat_of, sit_down
from crm.errors import CallerError, Forbidden, Invalid, RateLimited
from crm.users import sessions
from crm.users.passwords import MAX_PASSWORD

DEVICE_COOKIE_AGE: Final = timedelta(days=365)
INPUT = " ".join(BASE_INPUT_CLASSES)
NOT_FOR_ENGINEERS = _(
    "The back office is for supervisors and administrators. Engineers work in the mobile app."
)


def password_input(autocomplete: str) -> forms.PasswordInput:
    """A password's input that browsers and password managers understand."""
    return forms.PasswordInput(attrs={"class": INPUT, "autocomplete": autocomplete})


class EntryForm(forms.Form):
    """E-mail and password. Whether they are right is asked of the same service as `auth/token`."""

    username = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        # Not an e-mail field: what is no address gets the same answer as an unknown one.
        widget=forms.TextInput(
            attrs={
                "class": INPUT,
                "autocomplete": "username",
                "inputmode": "email",
                "autocapitalize": "none",
                "autofocus": True,
            }
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=password_input("current-password"),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        self.retry_after = 0
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                sit_down(self.request, username=given["username"], password=given["password"])
            except Forbidden:
                self.add_error(None, str(NOT_FOR_ENGINEERS))
            except CallerError as error:
                self.retry_after = error.retry_after if isinstance(error, RateLimited) else 0
                self.add_error(None, str(error.message))
        return given


class EntryView(LoginView):
    """Django's page for logging in, with our way of doing it."""

    authentication_form = EntryForm  # type: ignore[assignment]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page; it gives the browser a name, by which the next login from here is known again."""
        answer = super().dispatch(request, *args, **kwargs)
        if not device_of(request):
            answer.set_cookie(
                settings.DEVICE_COOKIE_NAME,
                token_urlsafe(),
                max_age=DEVICE_COOKIE_AGE,
                path=settings.SESSION_COOKIE_PATH,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        # The form has seen to the session.
        return HttpResponse(status=302, headers={"Location": self.get_success_url()})

    def form_invalid(self, form: Any) -> HttpResponse:
        answer = super().form_invalid(form)
        if form.retry_after:
            answer.status_code = 429
            answer.headers["Retry-After"] = str(form.retry_after)
        return answer


class OwnPasswordForm(forms.Form):
    """One's own new password: the other sessions end."""

    old_password = forms.CharField(
        label=_("Old password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=password_input("current-password"),
    )
    new_password1 = forms.CharField(
        label=_("New password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=password_input("new-password"),
    )
    new_password2 = forms.CharField(
        label=_("New password once more"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=password_input("new-password"),
    )

    def __init__(self, user: Any, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        if given["new_password1"] != given["new_password2"]:
            self.add_error("new_password2", _("The two passwords differ."))
            return given
        session = seat_of(self.request)
        if session is None:
            return given
        try:
            sessions.change_password(
                session=session,
                old_password=given["old_password"],
                new_password=given["new_password1"],
            )
        except Invalid as error:
            names = {"new_password": "new_password1"}
            for name, sentences in error.fields.items():
                self.add_error(names.get(name, name), [str(one) for one in sentences])
        except CallerError as error:
            self.add_error(None, str(error.message))
        return given
