"""Unsafe deployments, as system checks with a hint. `manage.py check --deploy` runs all of them.

Missing and weak secrets are no check: crm.settings refuses to start with them.
"""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Unwise

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1", "testserver", ".localhost"})


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
def debug_is_off(**_: Any) -> list[CheckMessage]:
    """With DEBUG secrets that everybody can read here are good enough."""
    secret = settings.JWT_SECRET
    if not secret.startswith("insecure-"):
        return []
    return [
        Error(
            "JWT_SECRET is the one for debugging: anybody can make themselves an administrator's token.",
            hint="Set DEBUG=false, and JWT_SECRET to the output of: "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            id="crm.E002",
        )
    ]


@register(Tags.database, deploy=True)
def sqlite_has_one_process(**_: Any) -> list[CheckMessage]:
    """SQLite has one writer at a time, however many processes wait for it."""
    names = ("WEB_CONCURRENCY", "GRANIAN_WORKERS")
    several = [name for name in names if os.environ.get(name, "1") not in {"", "1"}]
    if not several or not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    return [
        Unwise(
            f"Several web processes ({several[0]}) share one SQLite file: writers will wait in a queue.",
            hint="Set DATABASE_URL to a PostgreSQL database, or run one process with several threads.",
            id="crm.W001",
        )
    ]


@register(Tags.caches, deploy=True)
def redis_is_there(**_: Any) -> list[CheckMessage]:
    """Without Redis each process counts for itself and does its own exports."""
    if settings.REDIS_URL:
        return []
    return [
        Unwise(
            "There is no Redis: rate limits are counted per process, and exports run in the web process.",
            hint="Set REDIS_URL, and run `manage.py rqworker default reports` beside the web server.",
            id="crm.W002",
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
