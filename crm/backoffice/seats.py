"""Somebody at a desk: the same session row as a phone's, named by the browser's cookie instead of a token.

The row decides on each request, so that a deactivation, a new password and a new role count at once; and who
ends somebody's sessions ends this one with them.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils import timezone

from crm.changes import attribute_to
from crm.users import sessions
from crm.users.models import Session, User

KEY: Final = "seat"
# An hour of work is sixty prolongations, not one for each request.
PROLONGED_EVERY: Final = timedelta(minutes=1)


def idle_time() -> timedelta:
    """How long a desk may stand idle."""
    return timedelta(minutes=settings.OFFICE_IDLE_MINUTES)


def admits(user: User) -> bool:
    """Whether the back office is for that person."""
    return user.is_staff


def sit_down(request: HttpRequest, *, username: str, password: str) -> User:
    """Log in at this browser. Raises Unauthorized, Forbidden, RateLimited as `sessions.begin`."""
    session = sessions.begin(
        username=username, password=password, lifetime=idle_time(), admits=admits
    )
    # A key that somebody may have planted in this browser before is worth nothing.
    request.session.flush()
    request.session[KEY] = str(session.pk)
    request.session.clear_expired()
    rotate_token(request)
    attribute_to(session.user)
    return session.user


def stand_up(request: HttpRequest) -> None:
    """Log out at this browser."""
    session = seat_of(request)
    if session is not None:
        sessions.log_out(session=session)
    request.session.flush()


def seat_of(request: HttpRequest) -> Session | None:
    """The living session of this browser; asked once a request."""
    if not hasattr(request, "_seat"):
        request._seat = found(request)  # type: ignore[attr-defined]
    seat: Session | None = request._seat  # type: ignore[attr-defined]
    return seat


def found(request: HttpRequest) -> Session | None:
    """Look the session up, and prolong it while its person works."""
    raw = request.session.get(KEY)
    if raw is None:
        return None
    session = sessions.by_id(UUID(raw))
    if session is None:
        return None
    if session.expires_at - timezone.now() < idle_time() - PROLONGED_EVERY:
        sessions.prolong(session, lifetime=idle_time())
    attribute_to(session.user)
    return session


def person_at(request: HttpRequest) -> User | AnonymousUser:
    """Who sits here."""
    session = seat_of(request)
    return AnonymousUser() if session is None else session.user
