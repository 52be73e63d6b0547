"""Who is calling: the bearer of an access token whose session is alive."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from crm.changes import attribute_to
from crm.errors import Unauthorized
from crm.users import sessions
from crm.users.models import Session, User

SCHEME = "Bearer"


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer …` (RFC 6750). One query loads the session and its person as they are now."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        """The person and their session; None without such a header.

        Raises DRF's AuthenticationFailed rather than our own error: after it `request.user` is nobody,
        while another exception would be raised anew by whoever asks for `request.user` next.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != SCHEME.lower().encode():
            return None
        if len(words) != 2:  # noqa: PLR2004 - the scheme and the token
            raise AuthenticationFailed(
                _("The Authorization header must be: Bearer, a space, the token.")
            )
        try:
            session = sessions.of_access_token(words[1].decode("latin-1"))
        except Unauthorized as error:
            raise AuthenticationFailed(str(error.message)) from error
        attribute_to(session.user)
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        """With it an unknown caller gets 401, not 403."""
        return SCHEME


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema tells of it."""

    target_class = SessionTokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": (
                "The `access_token` of `POST /api/v1/auth/token` (e-mail and password, as a form or JSON). "
                "When it expires, `POST /api/v1/auth/refresh` gives a new pair for the `refresh_token`."
            ),
        }
