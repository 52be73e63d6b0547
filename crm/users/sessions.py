"""Logging in, staying logged in, logging out. One session is one login on one device.

The row decides, not the token: who is loaded with it on each request is the person as they are now.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.changes import Action, Change, current_origin, report
from crm.db.lookups import RowByIds, asked_first
from crm.errors import Forbidden, Invalid, Unauthorized
from crm.masking import mask_email
from crm.users import login_limits, passwords, tokens
from crm.users.models import Session, User, normalise_email

# How long a lost answer to a refresh may be asked for again.
REPEAT_WITHIN: Final = timedelta(minutes=5)

# Asked by every request; what hardly any of them looks at is left to a query of its own.
_OF_USER: Final = RowByIds(
    lambda session_id, user_id: (
        Session.objects.select_related("user")
        .defer("created_at", "user__created_at", "user__updated_at", "user__search_text")
        .filter(pk=session_id, user_id=user_id)
    ),
    2,
)


def event(action: Action, user: User | None, **facts: Any) -> Change:
    """Something that happened to an account rather than to its fields."""
    return Change(
        action=action,
        entity_type="user",
        entity_id=None if user is None else user.pk,
        after=facts or None,
        city_id=None if user is None else user.city_id,
    )


def log_in(*, username: str, password: str) -> tokens.Pair:
    """A new session for these credentials, as its first pair of tokens. Raises what `begin` raises."""
    lifetime = tokens.lifetimes()[1]
    return tokens.mint(begin(username=username, password=password, lifetime=lifetime))


def begin(
    *,
    username: str,
    password: str,
    lifetime: timedelta,
    admits: Callable[[User], bool] = lambda _: True,
) -> Session:
    """A new session for these credentials.

    admits: whether this door is for that person. Only those whose password was right hear that it is not:
    Forbidden.

    Raises Unauthorized with one sentence for an unknown account, a blocked one and a wrong password, after
    the same work; RateLimited after too many failures.
    """
    caller = login_limits.caller(username)
    with login_limits.attempt(caller.limits):
        user = User.objects.filter(email=normalise_email(username)).first()
        right, stronger = passwords.verified(user, password)
        if right and user is not None and not admits(user):
            told_of_failure(user, username, reason="role")
            raise Forbidden(_("This door is not for your role."))
        session = opened(user, stronger, lifetime, caller) if right and user is not None else None
        if session is None:
            told_of_failure(user, username)
            raise Unauthorized(_("Wrong e-mail or password."))
    return session


def told_of_failure(user: User | None, username: str, **facts: Any) -> None:
    """Report that somebody could not log in."""
    failure = event(Action.LOGIN_FAILED, user, username=mask_email(username), **facts)
    with transaction.atomic():
        report([failure], actor=None)


def opened(
    user: User, stronger: str | None, lifetime: timedelta, caller: login_limits.Caller
) -> Session | None:
    """A session of somebody whose password was right; None when that has just ceased to be so."""
    now = timezone.now()
    origin = current_origin()
    with transaction.atomic():
        # Locks the person: whoever blocks them or changes the password at this moment ends this session too.
        same = User.objects.filter(pk=user.pk, is_active=True, password=user.password)
        if not same.update(last_login=now, password=stronger or user.password):
            return None
        Session.objects.filter(user=user, expires_at__lt=now).delete()
        session = Session.objects.create(
            user=user,
            issued_at=now,
            expires_at=now + lifetime,
            ip_address=origin.ip_address,
            user_agent=origin.user_agent,
        )
        caller.remember()
        report([event(Action.LOGIN, user, session_id=str(session.pk))], actor=user)
    return session


def prolong(session: Session, *, lifetime: timedelta) -> None:
    """Let a living session go on for `lifetime` from now; one that has ended stays ended."""
    session.expires_at = timezone.now() + lifetime
    same = Session.objects.filter(pk=session.pk, ended_at__isnull=True)
    same.update(expires_at=session.expires_at)


def by_id(session_id: UUID) -> Session | None:
    """The living session with that id, with its person and their city: one query. None when it has ended."""
    rows = Session.objects.select_related("user__city", "user__district")
    session = rows.filter(pk=session_id).first()
    return session if session is not None and alive(session) else None


def alive(session: Session) -> bool:
    """Whether the session and its person may still do anything."""
    return (
        session.ended_at is None and session.expires_at > timezone.now() and session.user.is_active
    )


def of_access_token(raw: str) -> Session:
    """The living session behind an access token, its person loaded with it: one query.

    Raises Unauthorized.
    """
    try:
        claims = tokens.read(tokens.AccessToken, raw)
    except tokens.InvalidToken:
        raise Unauthorized(_("The access token is not valid or has expired.")) from None
    return living(claims)


def living(claims: tokens.Claims) -> Session:
    """The session that a token names, with its person. Raises Unauthorized when it has ended."""
    session = asked_first(lambda: _OF_USER.find(claims.session_id, claims.user_id))
    if session is None or not alive(session):
        raise Unauthorized(_("This session has ended. Log in again."))
    return session


def refresh(*, refresh_token: str, idempotency_key: str = "") -> tokens.Pair:
    """The next pair; the token that bought it is dead.

    A dead one used again ends the session: either its owner or a thief holds it, and nobody can tell which.
    But the request whose answer was lost, repeated within 5 minutes with its Idempotency-Key, gets the very
    same pair. Raises Unauthorized.
    """
    try:
        claims = tokens.read(tokens.RefreshToken, refresh_token)
    except tokens.InvalidToken:
        raise Unauthorized(_("The refresh token is not valid or has expired.")) from None
    key = key_hash(claims, idempotency_key)
    session = living(claims)
    if advanced(session, claims, key):
        return tokens.mint(session)
    # Its generation has passed, perhaps only just now.
    session = living(claims)
    if repeats_last(session, claims, key):
        return tokens.mint(session)
    end([session], actor=session.user, reason="refresh_token_reused")
    raise Unauthorized(
        _("This refresh token had been used already, so the session was ended. Log in again.")
    )


def advanced(session: Session, claims: tokens.Claims, key: str) -> bool:
    """Move the session to its next generation; of two at once exactly one does."""
    now = timezone.now()
    following = {
        "generation": claims.generation + 1,
        "issued_at": now,
        "expires_at": now + tokens.lifetimes()[1],
        "refresh_key_hash": key,
    }
    # Columns of the row itself only: what a subquery asks is not asked again after waiting for a lock.
    same = Session.objects.filter(
        pk=session.pk, generation=claims.generation, ended_at__isnull=True
    )
    if not same.update(**following):
        return False
    for name, value in following.items():
        setattr(session, name, value)
    return True


def key_hash(claims: tokens.Claims, key: str) -> str:
    """What is kept of an idempotency key; '' without one."""
    if not key:
        return ""
    return hashlib.sha256(f"{claims.session_id} {claims.generation} {key}".encode()).hexdigest()


def repeats_last(session: Session, claims: tokens.Claims, key: str) -> bool:
    """Whether this is the last refresh again, its answer having been lost."""
    return (
        key != ""
        and claims.generation == session.generation - 1
        and key == session.refresh_key_hash
        and session.issued_at >= timezone.now() - REPEAT_WITHIN
    )


def log_out(*, session: Session) -> None:
    """End the session: both of its tokens are dead at once."""
    end([session], actor=session.user)


def end(sessions: Iterable[Session], *, actor: User | None, **facts: Any) -> None:
    """End sessions and report it. facts: what else to tell about it."""
    with transaction.atomic():
        report(ended(sessions, **facts), actor=actor)


def ended(sessions: Iterable[Session], **facts: Any) -> list[Change]:
    """End sessions inside the caller's transaction; what it has to report of those that had been alive."""
    return [
        event(Action.LOGOUT, session.user, session_id=str(session.pk), **facts)
        for session in sessions
        if Session.objects.filter(pk=session.pk, ended_at__isnull=True).update(
            ended_at=timezone.now()
        )
    ]


def sessions_of(user: User, *, but: Session | None = None) -> list[Session]:
    """Somebody's living sessions, except one."""
    rows = Session.objects.select_related("user").filter(
        user=user, ended_at__isnull=True, expires_at__gt=timezone.now()
    )
    return list(rows if but is None else rows.exclude(pk=but.pk))


def change_password(*, session: Session, old_password: str, new_password: str) -> None:
    """Set one's own password, and end one's other sessions.

    Raises Invalid for a wrong old password or an unfit new one; RateLimited after too many wrong ones.
    """
    user = session.user
    wrong = Invalid({"old_password": _("The old password is wrong.")})
    try:
        with login_limits.attempt(lambda: login_limits.of_session(session)):
            if not passwords.verified(user, old_password)[0]:
                raise Unauthorized(_("The old password is wrong."))
    except Unauthorized:
        raise wrong from None
    encoded = passwords.hash_of(new_password, user=user, field="new_password")
    with transaction.atomic():
        same = User.objects.filter(pk=user.pk, is_active=True, password=user.password)
        if not same.update(password=encoded):
            raise wrong
        others = ended(sessions_of(user, but=session), reason="password_changed")
        report([*others, event(Action.PASSWORD, user)], actor=user)
