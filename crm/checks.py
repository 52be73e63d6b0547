"""Unsafe deployments, as system checks with a hint. `manage.py check --deploy` runs all of them.

Missing and weak secrets are no check: crm.settings refuses to start with them.
"""

import os
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Unwise
from django.db import DatabaseError, InterfaceError
from django.db.models import Q

from crm.users.roles import Role

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1", "testserver", ".localhost"})

# Each is worth a hash for each of the demo's passwords.
MOST_SUSPECTS: Final = 30
GUARDS: Final = (
    "crm.api.headers.SafeHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "crm.api.middleware.BodyLimitMiddleware",
    "crm.backoffice.middleware.OfficeCsrf",
)


@register(Tags.security)
def debug_is_for_this_machine(**_: Any) -> list[CheckMessage]:
    """Error pages with source code and settings are for the developer alone."""
    outside = sorted(set(settings.ALLOWED_HOSTS) - LOCAL_HOSTS)
    if not settings.DEBUG or not outside:
        return []
    return [
        Error(
            f"DEBUG is on while other machines may connect (ALLOWED_HOSTS: {', '.join(outside)}).",
            hint="Set DEBUG=false and give SECRET_KEY and JWT_SECRET values of their own.",
            id="crm.E001",
        )
    ]


@register(Tags.security, deploy=True)
def secrets_are_secret(**_: Any) -> list[CheckMessage]:
    """With DEBUG secrets that everybody can read here are good enough; and one secret is no two."""
    signing, tokens = settings.SECRET_KEY, settings.JWT_SECRET
    ways = {
        "JWT_SECRET is the one for debugging: anybody can make themselves an administrator's token.": (
            tokens.startswith("insecure-")
        ),
        "SECRET_KEY is the one for debugging: anybody can sign what only this server should.": (
            signing.startswith("insecure-")
        ),
        "SECRET_KEY and JWT_SECRET are the same: whoever learns one has both.": signing == tokens,
    }
    return [
        Error(
            sentence,
            hint="Set DEBUG=false, and give SECRET_KEY and JWT_SECRET each a value of its own: "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            id="crm.E002",
        )
        for sentence, so in ways.items()
        if so
    ]


@register(Tags.security, deploy=True)
def nobody_has_a_demo_password(**_: Any) -> list[CheckMessage]:
    """The demo's passwords are in the README. Asks the database, when there is one yet."""
    from crm.demo import ACCOUNTS  # noqa: PLC0415 - a program of its own
    from crm.users.models import User  # noqa: PLC0415 - models need every app loaded

    emails = {email for email, _password, _role in ACCOUNTS}
    passwords = {password for _email, password, _role in ACCOUNTS}
    try:
        # Beside the demo's own people those who could do the most harm.
        suspects = list(
            User.objects.active().filter(Q(email__in=emails) | Q(role=Role.ADMIN)).order_by("email")
        )[:MOST_SUSPECTS]
    except (DatabaseError, InterfaceError):
        return []
    caught = [
        user.email
        for user in suspects
        if any(check_password(password, user.password) for password in passwords)
    ]
    if not caught:
        return []
    return [
        Error(
            f"Anybody can log in as {', '.join(caught)}: the password is one of the demo's.",
            hint="Deactivate these accounts, or give them other passwords "
            "(PATCH /api/v1/users/{id} with is_active or password, or the back office).",
            id="crm.E004",
        )
    ]


@register(Tags.security)
def guards_stand(**_: Any) -> list[CheckMessage]:
    """The checks of Django's that are silenced look for its own classes; these are what stands for them."""
    missing = [guard for guard in GUARDS if guard not in settings.MIDDLEWARE]
    if not missing:
        return []
    return [
        Error(
            f"MIDDLEWARE lacks {', '.join(missing)}.",
            hint="Put it back where crm/settings.py has it.",
            id="crm.E005",
        )
    ]


def several_processes() -> str:
    """The variable that says that there are several web processes; '' when there is one."""
    names = ("WEB_CONCURRENCY", "GRANIAN_WORKERS")
    several = [name for name in names if os.environ.get(name, "1") not in {"", "0", "1"}]
    return several[0] if several else ""


@register(Tags.database, Tags.security, deploy=True)
def sqlite_has_one_process(**_: Any) -> list[CheckMessage]:
    """SQLite has one writer at a time, however many processes wait for it."""
    several = several_processes()
    if not several or not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    return [
        Unwise(
            f"Several web processes ({several}) share one SQLite file: writers will wait in a queue.",
            hint="Set DATABASE_URL to a PostgreSQL database, or run one process with several threads.",
            id="crm.W001",
        )
    ]


@register(Tags.caches, deploy=True)
def redis_is_there(**_: Any) -> list[CheckMessage]:
    """Without Redis each process counts for itself and does its own exports."""
    if settings.REDIS_URL:
        return []
    several = several_processes()
    if several:
        return [
            Error(
                f"Several web processes ({several}) and no Redis: every rate limit holds for each process "
                "by itself, each answers with figures of its own, and exports run in all of them.",
                hint="Set REDIS_URL, or run one process with several threads.",
                id="crm.E006",
            )
        ]
    return [
        Unwise(
            "There is no Redis: rate limits are counted per process, and exports run in the web process.",
            hint="Set REDIS_URL, and run `manage.py rqworker default reports` beside the web server.",
            id="crm.W002",
        )
    ]


@register(Tags.security, deploy=True)
def the_proxy_is_known(**_: Any) -> list[CheckMessage]:
    """Behind a proxy that nobody counted, everybody comes from the proxy's address."""
    if not settings.SECURE_PROXY_SSL_HEADER or settings.TRUSTED_PROXY_COUNT:
        return []
    return [
        Unwise(
            "HTTPS comes from a proxy, and TRUSTED_PROXY_COUNT is 0: all callers seem to have the proxy's "
            "address, so that one guesser uses up everybody's failed logins, and the audit tells nothing.",
            hint="Set TRUSTED_PROXY_COUNT to the number of reverse proxies in front, mostly 1.",
            id="crm.W005",
        )
    ]


@register(Tags.security, deploy=True)
def limits_are_on(**_: Any) -> list[CheckMessage]:
    """Without limits passwords can be guessed as fast as they are hashed."""
    if settings.RATE_LIMIT_ENABLED:
        return []
    return [
        Unwise(
            "Rate limits are off, those on failed logins included.",
            hint="Remove RATE_LIMIT_ENABLED=false.",
            id="crm.W003",
        )
    ]


@register(Tags.security, deploy=True)
def origins_are_named(**_: Any) -> list[CheckMessage]:
    """Any site may call the API from its visitors' browsers."""
    if "*" not in settings.CORS_ORIGINS and "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Unwise(
            "CORS_ORIGINS or ALLOWED_HOSTS allows everybody (*).",
            hint="Name the origins of your web clients, and the host names of this installation.",
            id="crm.W004",
        )
    ]


@register(Tags.urls)
def every_read_has_its_sql(**_: Any) -> list[CheckMessage]:
    """A field that a serializer shows and the database cannot make would fail at the first request."""
    from crm.api.readable import unreadable  # noqa: PLC0415 - views need every app loaded

    return [
        Error(
            str(reason),
            hint="Give its representation SQL in crm/api/json_members.py, or let the endpoint's reads go "
            "by the serializer (by_serializer = True).",
            id="crm.E003",
        )
        for reason in unreadable()
    ]
