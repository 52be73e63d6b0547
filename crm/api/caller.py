"""Who is asking."""

from typing import cast

from rest_framework.request import Request

from crm.users.models import User


def caller_of(request: Request) -> User:
    """The person behind an authenticated request; permissions have let nobody else through."""
    return cast("User", request.user)
