"""Every migration of ours can be taken back and made again, on both engines; what comes out is the same."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 300

# In a process of its own: this one's database stays as it is.
SCRIPT = """
import json
import django
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

SHAPE = {
    "sqlite": ["SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"],
    "postgresql": [
        "SELECT tgname, pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) FROM pg_trigger"
        " WHERE NOT tgisinternal",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
        "SELECT table_name, column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT stxname, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    ],
}

def shape():
    found = []
    with connection.cursor() as cursor:
        for statement in SHAPE[connection.vendor]:
            cursor.execute(statement)
            found += [[str(each) for each in row] for row in cursor.fetchall()]
    return sorted(found)

def migrate(targets):
    MigrationExecutor(connection).migrate(targets)

def ours(key):
    module = type(executor.loader.get_migration(*key)).__module__
    return not module.startswith(("django.", "auditlog.", "django_rq."))

executor = MigrationExecutor(connection)
leaves = executor.loader.graph.leaf_nodes()
migrate(leaves)
before = shape()
apps = sorted({key[0] for key in executor.loader.graph.nodes if ours(key)})
migrate([(app, None) for app in apps])
with connection.cursor() as cursor:
    tables = connection.introspection.table_names(cursor)
migrate(leaves)
print(json.dumps({"apps": apps, "left": tables, "same": shape() == before, "before": len(before)}))
"""


@pytest.fixture
def empty(engine: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.sqlite3"
        return
    url = os.environ["DATABASE_URL"]
    name = f"rolled_{os.urandom(4).hex()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_everything_can_be_taken_back_and_made_again(empty: str) -> None:
    done = subprocess.run(
        (sys.executable, "-c", SCRIPT),
        cwd=ROOT, env={**os.environ, "DATABASE_URL": empty, "DJANGO_SETTINGS_MODULE": "crm.settings"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"objects", "clients", "visits", "sync", "audit", "reports", "users"} <= set(
        told["apps"]
    )
    ours = tuple(f"{app}_" for app in told["apps"])
    assert [table for table in told["left"] if table.startswith(ours)] == []
    assert told["same"]
    assert told["before"] > 100
