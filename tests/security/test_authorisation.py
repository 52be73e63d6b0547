"""Every method of every address answers each role as the table says, and tells nothing it must not."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit.models import AuditEntry
from crm.jobs.models import JobStatus
from crm.territory.models import City, District
from crm.users.models import User
from objects.services import OBJECTS
from reports.models import ReportJob
from reports.selecting import sight_of
from tests.cast import Cast
from tests.contracts.test_schema import views
from tests.security.matrix import ROWS, Row, World

# Open to whoever knows a password or holds a token.
OK = 200
WITHOUT_LOGIN = {"auth/token": 200, "auth/refresh": 401}


@pytest.fixture
def world(cast: Cast, reports_path: Path) -> World:
    """A record of each kind in Moscow's centre, and what the rows need besides."""
    place = cast.object(contact_phone="+79123456789", gps_lat=55.75, gps_lng=37.65)
    flat = cast.unit(place)
    soon = timezone.now() + timedelta(days=2)
    gone = {"deleted_at": timezone.now()}
    other = cast.object()
    ids = {
        "objects": place,
        "units": flat,
        "customers": cast.customer(place, unit=flat),
        "visits": cast.visit(place, cast.ivan),
        "done_visits": cast.visit(place, cast.ivan, status="DONE", outcome_text="Готово"),
        "reminded_visits": cast.visit(
            place, cast.ivan, status="DONE", outcome_text="Готово", next_action_due_at=soon
        ),
        "users": cast.pyotr,
        "cities": cast.moscow,
        "districts": cast.centre,
        "unused_cities": City.objects.create(name="Пустой"),
        "unused_districts": District.objects.create(name="Пустой", city=cast.kazan),
        "deleted_units": cast.unit(place, **gone),
        "deleted_customers": cast.customer(place, **gone),
        "deleted_visits": cast.visit(place, cast.ivan, **gone),
        "deleted_objects": other,
        "jobs": export_of(cast.sergei),
        "done_jobs": done_export_of(cast.sergei, reports_path),
    }
    OBJECTS.update(
        actor=cast.anna, record_id=place.pk, changes={"contact_name": "Мария"}, version=None
    )
    ids["audit"] = AuditEntry.objects.get(entity_id=place.pk)
    OBJECTS.delete(actor=cast.anna, record_id=other.pk)
    return World(cast, {name: str(record.pk) for name, record in ids.items()})


def export_of(owner: User, **values: Any) -> ReportJob:
    """An export that waits."""
    return ReportJob.objects.create(
        owner=owner, entity="objects", format="csv", language="ru", **values
    )


def done_export_of(owner: User, directory: Path) -> ReportJob:
    """An export that is done; its id stands in its file."""
    job = export_of(
        owner, status=JobStatus.DONE, sight=sight_of(owner), completed_at=timezone.now()
    )
    directory.mkdir(exist_ok=True)
    (directory / "done.csv").write_text(str(job.pk))
    job.file_path, job.file_size = "done.csv", len(str(job.pk))
    job.save()
    return job


def ask(client: Any, row: Row, world: World) -> Any:
    """The answer to the row's request."""
    path = f"/api/v1/{row.path.format(**world.ids)}"
    query = row.query(world) if row.query else {}
    if row.method == "GET":
        return client.get(path, query)
    body = row.body(world) if row.body else None
    return client.generic(row.method, path, query_params=query, **written(body))


def written(body: Any) -> dict[str, Any]:
    """A JSON body, or none."""
    return {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}


def content(answer: Any) -> bytes:
    """The whole body, streamed or not."""
    return bytes(answer.getvalue() if answer.streaming else answer.content)


def committing(row: Row) -> Any:
    """The feed tells only of what is committed; for everything else a transaction does."""
    mark = pytest.mark.django_db(transaction=row.path.startswith("sync/"))
    return pytest.param(row, marks=mark, id=str(row))


@pytest.mark.parametrize("row", map(committing, ROWS))
def test_the_table(row: Row, world: World) -> None:
    cast = world.cast
    callers = (
        *zip((cast.anna, cast.sergei, cast.ivan), row.seen, (True, True, True), strict=True),
        *zip((cast.olga, cast.pyotr), row.unseen, (False, False), strict=True),
    )
    wrong = []
    stranger = ask(cast.api(None), row, world).status_code
    if stranger != WITHOUT_LOGIN.get(row.path, 401):
        wrong.append(f"Without a token: {stranger}")
    for caller, expected, sees in callers:
        with transaction.atomic():
            client = cast.api(caller)
            answer = ask(client, row, world)
            body = content(answer)
            transaction.set_rollback(True)
        if answer.status_code != expected:
            wrong.append(
                f"{caller.full_name}: {answer.status_code}, not {expected}: {body[:200]!r}"
            )
        if (
            row.told is not None
            and expected == OK
            and (world.ids[row.told].encode() in body) != sees
        ):
            wrong.append(f"{caller.full_name}: {'is not told' if sees else 'is told'} {row.told}")
    assert wrong == []


def test_every_route_is_in_the_table() -> None:
    table = {(row.method, re.sub(r"\{\w+\}", "{}", row.path)) for row in ROWS}
    answered = {(method.upper(), path.removeprefix("/api/v1/")) for path, method in views()}
    assert sorted(answered - table) == []
    assert sorted(table - answered) == []
