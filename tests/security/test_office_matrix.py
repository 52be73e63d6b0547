"""Every page of the back office answers each role as the table says, and a page without a row fails."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from crm.backoffice.imports.models import Upload
from crm.backoffice.models import BulkJob
from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object
from reports.models import ReportJob
from sync.refused import RefusedItem
from tests.cast import Cast, person
from tests.contracts.test_schema import endpoints
from tests.fuzz.answers import content, everything, nothing_written
from tests.office.desk import browser, desk
from tests.security.matrix import World
from tests.security.office import ALL_PAGES, OPEN, Page
from tests.security.test_authorisation import world

__all__ = ["world"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reports_path")]

# Words of Moscow's records and of nobody else's.
SECRETS = ("Тверская", "Мария", "79123456789", "Пётр Северов", "кто-то тайный")
DOOR = "/admin/login/"


@pytest.fixture
def office(cast: Cast, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The records of the other table, and what only the back office has: jobs, imports, refused edits."""
    from crm.jobs import inprocess, queue

    # Jobs stay where they are put.
    monkeypatch.setattr(inprocess, "wake", lambda: None)
    monkeypatch.setattr(queue, "put", queue.insert)
    now, sergei = timezone.now(), {"owner": cast.sergei, "language": "en"}
    report = {"entity": "objects", "format": "csv", "columns": ["address"]}
    bulk = {"action": "objects.status", "params": {"values": {}, "told": []}, "number": 1}
    done = ReportJob.objects.create(
        **sergei, **report, status="done", file_path="gone.csv", completed_at=now
    )
    ids: dict[str, Any] = {
        "jobs": ReportJob.objects.create(**sergei, **report).pk,
        "done_jobs": done.pk,
        "bulk_jobs": BulkJob.objects.create(**sergei, **bulk, status="failed", error_message="x").pk,
        "uploads": Upload.objects.create(owner=cast.sergei, kind="objects", name="кто-то тайный.csv", size=1, file_path="gone").pk,
        "refused": RefusedItem.objects.create(
            user=cast.ivan, fingerprint="f", table="objects", record_id=world.ids["objects"], status="conflict",
            item={"payload": {"address": "ул. Тверская, д. 9"}}, error_code="CONFLICT", city=cast.moscow,
            created_at=now, refused_at=now,
        ).pk,
        "app": "objects", "nowhere": "nowhere", "zero": "0", "reports": "reports", "bulk": "bulk",
        "objects_table": "objects",
    }  # fmt: skip
    world.ids.update({name: str(one) for name, one in ids.items()})
    return world


def address(page: Page, office: World) -> str:
    """The page's address, about the records of its row."""
    route = page.route.replace("/?", "/").replace("{}?", "{}")
    ids = iter(page.ids)
    return "/admin/" + "".join(
        part + (office.ids[next(ids)] if number < route.count("{}") else "")
        for number, part in enumerate(route.split("{}"))
    )


def ask(client: Client, method: str, page: Page, office: World) -> Any:
    """The answer; whatever it does is undone."""
    cookies: Any = client.cookies.copy()
    try:
        return getattr(client, method)(
            address(page, office), page.form if method == "post" else page.query
        )
    finally:
        # Whoever logs out is back at once.
        client.cookies = cookies


def readable(answer: Any) -> str:
    """The answer's words; JSON may escape them."""
    text = content(answer).decode(errors="replace")
    if "json" in answer.get("Content-Type", ""):
        return json.dumps(json.loads(text), ensure_ascii=False)
    return text


def engineer_at_a_desk(cast: Cast) -> Client:
    """A supervisor's browser, after they were made an engineer."""
    eva: User = person("eva@crm.test", "Ева Прежняя", Role.SUPERVISOR, city=cast.moscow)
    client = desk(eva)
    User.objects.filter(pk=eva.pk).update(role=Role.ENGINEER, district=cast.centre)
    return client


@pytest.mark.parametrize(("column", "name"), list(enumerate(["sergei", "olga", "anna"])))
def test_the_table(cast: Cast, office: World, column: int, name: str) -> None:
    client = desk(getattr(cast, name))
    wrong = []
    for page in ALL_PAGES:
        for method, statuses in (("get", page.get), ("post", page.post)):
            may_write = page.writes and method == "post" and statuses[column] in {200, 302}
            before = everything()
            with transaction.atomic():
                answer = ask(client, method, page, office)
                body = readable(answer)
                after = everything()
                transaction.set_rollback(True)
            written = [label for label, rows in after.items() if rows != before[label]]
            if written and not may_write:
                wrong.append(f"{method} {page}: writes {written}")
            if answer.status_code != statuses[column]:
                wrong.append(f"{method} {page}: {answer.status_code}, not {statuses[column]}")
            told = [word for word in SECRETS if word in body]
            if name == "olga" and told:
                wrong.append(f"{method} {page}: tells {told}")
            if name != "olga" and page.tells and method == "get" and not told:
                wrong.append(f"{method} {page}: tells nothing")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("who", ["nobody", "an engineer"])
def test_the_door(cast: Cast, office: World, who: str) -> None:
    """Both are led to the door, whatever they ask for, and nothing comes of it."""
    client = browser() if who == "nobody" else engineer_at_a_desk(cast)
    wrong = []
    for page in ALL_PAGES:
        for method, statuses in (("get", 0), ("post", 1)):
            with nothing_written():
                answer = ask(client, method, page, office)
            body = readable(answer)
            if page.route in OPEN:
                right = answer.status_code == OPEN[page.route][statuses]
            else:
                right = answer.status_code == 302 and DOOR in answer["Location"]
            if not right or any(word in body for word in SECRETS):
                wrong.append(f"{method} {page}: {answer.status_code} {answer.get('Location', '')}")
    assert wrong == [], "\n".join(wrong)
    assert Object.objects.filter(pk=office.ids["objects"]).exists()


def test_every_page_is_in_the_table() -> None:
    """The addresses come from the resolver: a page that somebody adds has to be judged here first."""
    known = {f"/admin/{page.route}" for page in ALL_PAGES}
    found = {
        path
        for path, _pattern in endpoints(get_resolver().url_patterns)
        if path.startswith("/admin/")
    }
    assert sorted(found - known) == []
    assert sorted(known - found) == []
    assert len(known) == len(ALL_PAGES)
