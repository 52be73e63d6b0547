"""A database that is gone without a word is missed: no request waits for it as long as TCP would."""

import json
import os
import socket
import subprocess
import sys
from typing import Any

from tests.servers import ROOT

PATIENCE_SECONDS = 60
CONNECT = """
import django
django.setup()
from django.db import connection
connection.ensure_connection()
"""
SHOW = """
import json
from crm import settings
print(json.dumps(settings.DATABASES["default"].get("OPTIONS", {})))
"""


def run(code: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-c", code), cwd=ROOT, timeout=PATIENCE_SECONDS,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "crm.settings", "DEBUG": "true", "REDIS_URL": "",
             "DATABASE_URL": url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def options(url: str) -> dict[str, Any]:
    shown = run(SHOW, url)
    assert shown.returncode == 0, shown.stderr
    return dict(json.loads(shown.stdout))


def test_one_that_takes_connections_and_says_nothing_is_given_up() -> None:
    """By itself the driver waits for more than two minutes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run(CONNECT, f"postgres://crm@127.0.0.1:{silent.getsockname()[1]}/crm")
    assert "OperationalError: connection timeout expired" in done.stderr


def test_what_the_address_says_counts_more() -> None:
    told = options("postgres://crm@db/crm?connect_timeout=9&sslmode=require")
    assert told["connect_timeout"] == 9
    assert told["sslmode"] == "require"
    # Milliseconds; the others are seconds. A connection that sleeps is missed in about as long.
    assert told["tcp_user_timeout"] == 20_000
    silence = told["keepalives_idle"] + told["keepalives_interval"] * told["keepalives_count"]
    assert silence <= 30


def test_a_file_has_no_network() -> None:
    assert not {"connect_timeout", "tcp_user_timeout"} & set(options("sqlite:///:memory:"))
