"""A SQLite installation taken over to PostgreSQL: every row arrives as it was, and phones start over."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from crm.management.commands.move_to_postgresql import TARGET
from objects.models import Object
from objects.services import OBJECTS
from tests import throwaway
from tests.cast import PASSWORD, Cast
from tests.sync.phone import Phone
from tests.sync.pushing import item, push
from visits.models import Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_only]

ROOT = Path(__file__).resolve().parent.parent.parent
# What a client of the new installation does, in a process of its own: prints one line of JSON.
CLIENT = """
import json, sys
import django
django.setup()
from django.test import Client
told = json.loads(sys.argv[1])
client = Client(SERVER_NAME="localhost")
login = client.post(
    "/api/v1/auth/token", {"username": told["email"], "password": told["password"]}, "application/json"
)
headers = {"authorization": "Bearer " + told["token"]}
old = client.get("/api/v1/sync/changes", {"cursor": told["cursor"]}, headers=headers)
new = json.loads(client.get("/api/v1/sync/changes", {"limit": 10000}, headers=headers).getvalue())
again = client.post("/api/v1/sync/batch", {"items": [told["item"]]}, "application/json", headers=headers)
version = client.patch(
    "/api/v1/objects/" + told["object"], {"status": "DONE"}, "application/json", headers=headers
)
later = json.loads(
    client.get("/api/v1/sync/changes", {"cursor": new["next_cursor"]}, headers=headers).getvalue()
)
print(json.dumps({
    "login": login.status_code, "old": [old.status_code, json.loads(old.getvalue())],
    "rows": {row["id"]: row["version"] for row in new["items"] if row["action"] != "delete"},
    "again": again.json(), "patched": version.json(),
    "later": [[row["id"], row["version"]] for row in later["items"]],
}))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of an empty PostgreSQL cluster."""
    directory = Path(tempfile.mkdtemp(prefix="crm-moving-"))
    directory.chmod(0o755)
    process, url = throwaway.start_postgresql(directory)
    yield url
    throwaway.stop(process)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def target(cluster: str) -> str:
    """The address of an empty database."""
    name = f"moved_{os.urandom(4).hex()}"
    with psycopg.connect(cluster, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    return cluster.replace("/postgres?", f"/{name}?")


@pytest.fixture(autouse=True)
def _second_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's tests let nobody connect to a database that the settings do not name."""
    guarded = BaseDatabaseWrapper.ensure_connection

    def connect(wrapper: BaseDatabaseWrapper) -> None:
        if wrapper.alias != TARGET:
            guarded(wrapper)
        elif wrapper.connection is None:
            with wrapper.wrap_database_errors:
                wrapper.connect()

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", connect)


def lived_in(cast: Cast) -> Object:
    """A database with something of everything; the object that was edited most."""
    place = cast.object(address="ул. Ёлочная, д. 1, корп. «Б» 🏠", responsible_user=cast.pyotr)
    flat = cast.unit(place, attributes={"код": "12к34", "deep": [1, {"x": 0.1}], "n": None})
    cast.customer(place, unit=flat, phone="+79123456789", desired_price="499.90")
    Visit.objects.create(
        object=place, engineer=cast.ivan, status="DONE", outcome_text="Готово",
        started_at=timezone.now(), finished_at=timezone.now() + timedelta(microseconds=1),
    )  # fmt: skip
    OBJECTS.update(
        actor=cast.anna, record_id=place.pk, changes={"status": "INTEREST"}, version=None
    )
    gone = cast.object(address="ул. Снесённая, д. 2")
    OBJECTS.delete(actor=cast.anna, record_id=gone.pk)
    place.refresh_from_db()
    return place


def in_new_installation(target: str, told: dict[str, Any]) -> dict[str, Any]:
    """What CLIENT says."""
    done = subprocess.run(
        (sys.executable, "-c", CLIENT, json.dumps(told)),
        env=os.environ | {"DATABASE_URL": target, "REDIS_URL": "", "LOG_LEVEL": "ERROR"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_everything_arrives_and_phones_start_over(cast: Cast, target: str) -> None:
    place = lived_in(cast)
    phone = Phone.of(cast, cast.anna)
    phone.pull()
    edit = item("objects", place.pk, place.version, contact_name="Мария")
    push(phone.api, edit)
    before = {str(row.pk): row.version for row in Object.objects.live()}
    token = phone.api.defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")

    out = StringIO()
    call_command("move_to_postgresql", target, stdout=out)
    assert "moved and compared" in out.getvalue()

    told = {
        "email": cast.anna.email, "password": PASSWORD, "token": token, "cursor": phone.cursor,
        "item": edit, "object": str(place.pk),
    }  # fmt: skip
    answer = in_new_installation(target, told)
    # The hash of the password came along, and so did the session.
    assert answer["login"] == 200
    status, refusal = answer["old"]
    assert status == 410
    assert refusal["error"]["details"]["reason"] == "epoch"
    assert {k: v for k, v in answer["rows"].items() if k in before} == before
    # The receipt came along: what was pushed before counts once.
    assert answer["again"]["results"][0]["replayed"] is True
    # Triggers are on again, and count from where the old ones stopped.
    assert answer["patched"]["version"] == before[str(place.pk)] + 1
    assert answer["later"] == [[str(place.pk), before[str(place.pk)] + 1]]


def test_every_table_is_there_with_every_row(cast: Cast, target: str) -> None:
    lived_in(cast)
    call_command("move_to_postgresql", target, verbosity=0)
    with psycopg.connect(target) as moved:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if not model._meta.managed or model._meta.proxy:
                continue
            count = moved.execute(f'SELECT count(*) FROM "{table}"').fetchone()
            stays = getattr(model, "STAYS_BEHIND", False)
            assert count == (0 if stays else model._base_manager.count(),), table
        # Keys that PostgreSQL hands out go on after the highest that came.
        moved.execute(
            "SELECT setval(pg_get_serial_sequence('objects_objectaccess', 'id'), 1, false)"
        )
        off = moved.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'").fetchone()
        assert off == (0,)


def test_sequences_go_on_where_the_old_ones_stopped(cast: Cast, target: str) -> None:
    lived_in(cast)
    highest = Object.objects.model._meta.apps.get_model("objects", "ObjectAccess").objects.count()
    call_command("move_to_postgresql", target, verbosity=0)
    with psycopg.connect(target) as moved:
        row = moved.execute(
            "SELECT nextval(pg_get_serial_sequence('objects_objectaccess', 'id'))"
        ).fetchone()
    assert row is not None
    assert row[0] > highest > 0


def test_only_an_empty_database_is_moved_into(cast: Cast, target: str) -> None:
    lived_in(cast)
    call_command("move_to_postgresql", target, verbosity=0)
    with pytest.raises(CommandError, match="people in it"):
        call_command("move_to_postgresql", target, verbosity=0)


@pytest.mark.parametrize("url", ["sqlite:///other.sqlite3", "mysql://u:p@h/n", "nonsense"])
def test_only_a_postgresql_database_is_moved_into(cast: Cast, url: str) -> None:
    with pytest.raises(CommandError, match="PostgreSQL"):
        call_command("move_to_postgresql", url, verbosity=0)


def test_what_postgresql_cannot_hold_moves_nothing(cast: Cast, target: str) -> None:
    place = lived_in(cast)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE objects_object SET contact_name = 'a' || char(0) || 'b' WHERE id = %s",
            [place.pk.hex],
        )
    with pytest.raises(CommandError, match=r"Nothing was moved.*objects_object"):
        call_command("move_to_postgresql", target, verbosity=0)
    with psycopg.connect(target) as moved:
        assert moved.execute("SELECT count(*) FROM users_user").fetchone() == (0,)


def test_a_value_that_arrives_changed_is_noticed(
    cast: Cast, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(cast)
    from crm.db import moving

    real = moving.copy_rows

    def careless(into: Any, table: str, columns: Any, rows: Any) -> None:
        if table == "objects_object":
            where = list(columns).index("version")
            rows = ([*row[:where], 1, *row[where + 1 :]] for row in rows)
        real(into, table, columns, rows)

    monkeypatch.setattr(moving, "copy_rows", careless)
    with pytest.raises(CommandError, match=r"objects_object: version of row .* did not arrive"):
        call_command("move_to_postgresql", target, verbosity=0)
