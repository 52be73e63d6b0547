"""auth/…: tokens are given, renewed and taken back."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.parsing import StrictJSONParser
from crm.errors import Invalid
from crm.users import sessions
from crm.users.parsing import Utf8FormParser
from crm.users.passwords import MAX_PASSWORD
from crm.users.tokens import MAX_TOKEN, Pair

MAX_IDEMPOTENCY_KEY = 255


def password_field(**kwargs: Any) -> serializers.CharField:
    """A password as it is typed, spaces included; never shown."""
    return serializers.CharField(
        max_length=MAX_PASSWORD, trim_whitespace=False, write_only=True, **kwargs
    )


class LoginSerializer(serializers.Serializer[Any]):
    """Who wants to log in. The user name is the e-mail address, in any case."""

    username = serializers.CharField(max_length=254)
    password = password_field()


class RefreshSerializer(serializers.Serializer[Any]):
    """The refresh token of the latest pair."""

    refresh_token = serializers.CharField(max_length=MAX_TOKEN, write_only=True)


class PasswordChangeSerializer(serializers.Serializer[Any]):
    """One's own new password."""

    old_password = password_field()
    new_password = password_field(min_length=8)


class PairSerializer(serializers.Serializer[Any]):
    """A pair of tokens. `expires_in`: the access token's life in seconds."""

    access_token = serializers.CharField(read_only=True)
    refresh_token = serializers.CharField(read_only=True)
    token_type = serializers.ChoiceField(choices=["bearer"], read_only=True)
    expires_in = serializers.IntegerField(read_only=True)


def answer(pair: Pair) -> Response:
    """The pair, for this client only (RFC 6749, section 5.1)."""
    body = {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "token_type": "bearer",
        "expires_in": pair.expires_in,
    }
    return Response(body, headers={"Cache-Control": "no-store"})


def checked(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body's fields."""
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


class PostView(APIView):
    """An action of its own address."""

    http_method_names = ["post"]


class OpenView(PostView):
    """For those who are nobody yet. Its limit is that of failed logins."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class TokenView(OpenView):
    """Log in."""

    parser_classes = (StrictJSONParser, Utf8FormParser)

    @extend_schema(
        operation_id="auth_token",
        tags=["auth"],
        auth=[],
        request=LoginSerializer,
        responses=PairSerializer,
    )
    def post(self, request: Request) -> Response:
        """Log in with e-mail and password, as a form or JSON.

        401 is the same for an unknown account, a blocked one and a wrong password; 429 after five failures
        in a minute.
        """
        return answer(sessions.log_in(**checked(LoginSerializer, request)))


class RefreshView(OpenView):
    """Renew the tokens."""

    @extend_schema(
        operation_id="auth_refresh",
        tags=["auth"],
        auth=[],
        request=RefreshSerializer,
        responses=PairSerializer,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "maxLength": MAX_IDEMPOTENCY_KEY},
                OpenApiParameter.HEADER,
                description="Repeating the request with the same key within 5 minutes gives the same pair.",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair.

        The old refresh token is dead; using it again ends the session, unless the request repeats the last
        one with its `Idempotency-Key`.
        """
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MAX_IDEMPOTENCY_KEY:
            raise Invalid(
                {
                    "Idempotency-Key": _("At most %(limit)s characters are allowed.")
                    % {"limit": MAX_IDEMPOTENCY_KEY}
                }
            )
        token = checked(RefreshSerializer, request)["refresh_token"]
        return answer(sessions.refresh(refresh_token=token, idempotency_key=key))


class LogoutView(PostView):
    """Log out."""

    @extend_schema(operation_id="auth_logout", tags=["auth"], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session of the access token: both of its tokens are dead at once."""
        sessions.log_out(session=request.auth)  # type: ignore[arg-type]
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordView(PostView):
    """Change one's password."""

    @extend_schema(
        operation_id="auth_password",
        tags=["auth"],
        request=PasswordChangeSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Set one's own password. Every other session ends."""
        sessions.change_password(
            session=request.auth,  # type: ignore[arg-type]
            **checked(PasswordChangeSerializer, request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
