"""A production environment starts, passes every check of a deployment, and refuses what is unsafe."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import make_password
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from crm import settings as module
from crm.demo import ACCOUNTS
from crm.users.models import User
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]
GOOD = "Qm8rT2vX-4kPz_7LwYb0NsHc6JdGfA1eUoWqRt5y"
OTHER = "Zx3cV6bN-9mLk_2JhGf8DsAq0WeRt5YuIoPz7Xc1"
PRODUCTION = {
    "SECRET_KEY": GOOD * 2,
    "JWT_SECRET": OTHER * 2,
    "ALLOWED_HOSTS": "crm.example.com",
    "HTTPS": "true",
    "TRUSTED_PROXY_COUNT": "1",
    "REDIS_URL": "redis://redis:6379/0",
    "DATABASE_URL": "postgres://crm:secret@127.0.0.1:1/crm",
    "GRANIAN_WORKERS": "4",
    "LOG_FORMAT": "json",
    "DEBUG": "false",
    "RATE_LIMIT_ENABLED": "true",
}

CONNECT = "from django.db import connection; connection.ensure_connection()"
SHOW_OPTIONS = (
    "import json; from django.conf import settings;"
    "print(json.dumps(settings.DATABASES['default'].get('OPTIONS', {})))"
)


def managed(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py command` in that environment alone."""
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_production_environment_has_nothing_to_complain_about() -> None:
    done = managed(["check", "--deploy", "--fail-level", "WARNING"], **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_plain_http_is_complained_about() -> None:
    done = managed(
        ["check", "--deploy", "--fail-level", "WARNING"], **{**PRODUCTION, "HTTPS": "false"}
    )
    assert done.returncode == 1
    assert {"security.W004", "security.W008", "security.W010"} <= {
        word.strip("():") for word in done.stderr.split() if word.startswith("(security.")
    }


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET", "JWT_SECRET_FALLBACKS"])
def test_it_does_not_start_with_a_weak_secret(name: str) -> None:
    done = managed(["check"], **{**PRODUCTION, name: "change-me"})
    assert done.returncode == 1
    assert f"{name} must be set to at least 32 random characters" in done.stderr
    assert "change-me" not in done.stderr


@pytest.mark.parametrize("weak", ["", "short", "x" * 64, "abcabcabc" * 8])
def test_what_is_weak(weak: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="random characters"):
        module.strong("SECRET_KEY", weak)


def test_what_is_not() -> None:
    # 128 bits in hexadecimal: half of the shortest that generators make.
    for good in ("0b5c07d1f9a3e84426e1c7d05f38b92a", GOOD):
        assert module.strong("SECRET_KEY", good) == good


def database_options(url: str) -> dict[str, Any]:
    done = managed(["shell", "-v", "0", "-c", SHOW_OPTIONS], **{**PRODUCTION, "DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_database_that_takes_connections_and_says_nothing_is_given_up() -> None:
    """By itself the driver waits for more than two minutes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://crm@127.0.0.1:{silent.getsockname()[1]}/crm"
        done = managed(["shell", "-c", CONNECT], **{**PRODUCTION, "DATABASE_URL": url})
    assert "OperationalError: connection timeout expired" in done.stderr


def test_a_database_that_vanished_is_missed_unless_its_address_says_otherwise() -> None:
    assert database_options("postgres://crm@db/crm")["connect_timeout"] == 5
    told = database_options("postgres://crm@db/crm?connect_timeout=9&sslmode=require")
    assert told["connect_timeout"] == 9
    assert told["sslmode"] == "require"
    # Milliseconds; the others are seconds. A connection that sleeps is missed in about as long.
    assert told["tcp_user_timeout"] == 20_000
    silence = told["keepalives_idle"] + told["keepalives_interval"] * told["keepalives_count"]
    assert silence <= 30


def test_a_file_has_no_network() -> None:
    assert not {"connect_timeout", "tcp_user_timeout"} & set(database_options("sqlite:///:memory:"))


@pytest.fixture
def safe(settings: LazySettings) -> LazySettings:
    """What the checks have nothing against."""
    settings.RATE_LIMIT_ENABLED, settings.REDIS_URL = True, "redis://somewhere"
    return settings


def found() -> set[str]:
    """Our own checks' complaints. Each says what to do about it."""
    ours = [m for m in run_checks(include_deployment_checks=True) if str(m.id).startswith("crm.")]
    assert all(message.hint for message in ours)
    return {str(message.id) for message in ours}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, set()),
        ({"SECRET_KEY": "insecure-secret-key-for-debugging-only-0123456789"}, {"crm.E002"}),
        ({"SECRET_KEY": GOOD, "JWT_SECRET": GOOD}, {"crm.E002"}),
        ({"MIDDLEWARE": []}, {"crm.E005"}),
        ({"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}, {"crm.W005"}),
    ],
)
def test_unsafe_settings(safe: LazySettings, values: dict[str, Any], expected: set[str]) -> None:
    for name, value in values.items():
        setattr(safe, name, value)
    assert found() == expected


@pytest.mark.django_db
@pytest.mark.parametrize("variable", ["GRANIAN_WORKERS", "WEB_CONCURRENCY"])
def test_several_processes_without_redis(
    safe: LazySettings, monkeypatch: pytest.MonkeyPatch, variable: str, engine: str
) -> None:
    on_sqlite = {"crm.W001"} if engine == "sqlite" else set()
    monkeypatch.setenv(variable, "2")
    assert found() == on_sqlite
    safe.REDIS_URL = ""
    assert found() == {"crm.E006", *on_sqlite}
    monkeypatch.setenv(variable, "1")
    assert found() == {"crm.W002"}


@pytest.mark.django_db
@pytest.mark.parametrize(("email", "password", "_role"), ACCOUNTS)
def test_a_demo_account(
    cast: Cast, safe: LazySettings, email: str, password: str, _role: str
) -> None:
    user = User.objects.create(
        email=email, full_name="Демо", role="ENGINEER", password=make_password(password)
    )
    assert found() == {"crm.E004"}
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert found() == set()
    User.objects.filter(pk=user.pk).update(is_active=True, password=make_password(GOOD))
    assert found() == set()


@pytest.mark.django_db
def test_an_administrator_with_a_demo_password(cast: Cast, safe: LazySettings) -> None:
    User.objects.filter(pk=cast.anna.pk).update(password=make_password(ACCOUNTS[0][1]))
    assert found() == {"crm.E004"}
