"""A whole round through the product, with somebody's data in every place where it could be typed: none of it
is in the log, at any level, in either format.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from django.test import Client

from audit.models import AuditEntry
from clients.models import Customer
from crm.users.models import User
from objects.models import Object
from tests.cast import PASSWORD, Cast
from tests.office.desk import LOGIN as OFFICE_DOOR
from tests.office.desk import desk
from tests.reports.asking import asked, content, done
from tests.security.matrix import ROWS, World
from tests.security.test_authorisation import ask, world  # noqa: F401 - a fixture
from tests.watching.listening import Listener, listening

pytestmark = pytest.mark.django_db(transaction=True)

API = "/api/v1"
NAME, PHONE, EMAIL = "Мария Петрова", "+79169876543", "maria.petrova@example.com"
LATIN, ADDRESS, NOTE = "Petrovskaya", "ул. Заповедная, д. 77", "код домофона 4711К"
TYPED = (PHONE, PHONE[1:], f"8{PHONE[2:]}", "8 (916) 987-65-43", EMAIL, NAME, LATIN, PASSWORD)
# Lines may be about customers, but not say which by anything but an id.
WORDS = re.compile(r"[^\W\d_]{4,}")


def private(client_tokens: list[str]) -> Iterator[str]:
    """Everything that must not be found: of the database, of what was typed, of what was handed out."""
    for user in User.objects.all():
        yield from (user.email, user.phone or "", user.password, *WORDS.findall(user.full_name))
    for customer in Customer.objects.all():
        yield from (customer.phone or "", customer.notes or "")
        yield from WORDS.findall(customer.full_name or "")
    for place in Object.objects.all():
        yield from (place.address, place.contact_phone or "", place.contact_name or "")
    yield from (*TYPED, *WORDS.findall(NAME), "Заповедная", "домофон", PHONE[2:], "987-65-43")
    for token in client_tokens:
        yield from (token, *token.split("."))


def found_in(log: Listener, secrets: set[str]) -> list[str]:
    """What of it the log holds, and where."""
    lines = [*log.json, *log.text]
    return sorted({f"{s!r} in {line}" for s in secrets if s for line in lines if s in line})


def every_row(cast: Cast, world: World) -> list[str]:  # noqa: F811
    """Each method of each address, as two people; the tokens that they had."""
    tokens = []
    for row in ROWS:
        for user in (cast.anna, cast.ivan):
            with transaction.atomic():
                client = cast.api(user)
                tokens.append(client.defaults["HTTP_AUTHORIZATION"].split()[1])
                answer = ask(client, row, world)
                if answer.streaming:
                    answer.getvalue()
                transaction.set_rollback(True)
    return tokens


def every_typing_mistake(cast: Cast) -> None:
    """Personal data where it belongs, and where it does not."""
    for user in (cast.sergei, cast.ivan, None):
        client = cast.api(user, raise_request_exception=False)
        for typed in TYPED if user is cast.ivan else TYPED[3:6]:
            for path in (
                "objects",
                "customers",
                "users",
                "visits",
                "audit",
                "none",
                "sync/changes",
            ):
                client.get(f"{API}/{path}", {"q": typed})
                client.get(f"{API}/{path}", {"phone": typed, typed: typed})
                client.get(f"{API}/{path}/{typed}")
            client.get(f"/{typed}/{typed}?token={typed}")
            client.get(f"{API}/objects", headers={"user-agent": typed, "x-device-id": typed})
            if typed != LATIN:  # as good a name for a request as any
                client.get(f"{API}/objects", headers={"x-request-id": typed})
            client.get(f"{API}/objects", headers={"authorization": f"Bearer {LATIN}.{LATIN}.x"})
            client.post(f"{API}/auth/token", {"username": typed, "password": typed})
        for body in (
            {"full_name": NAME, "phone": PHONE, "object_id": str(uuid4()), "notes": NOTE},
            {"full_name": [NAME], "phone": {"x": PHONE}, EMAIL: EMAIL},
            [PHONE, EMAIL],
        ):
            for path in ("customers", "users", "objects", "sync/batch", "reports/export"):
                client.post(f"{API}/{path}", body, format="json")
        client.generic("POST", f"{API}/customers", f"{{{PHONE}", content_type="application/json")


def every_clash(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals and defects whose exceptions quote what was refused."""
    place = cast.object(address=ADDRESS, contact_name=NAME, contact_phone=PHONE)
    cast.customer(place, full_name=NAME, phone=PHONE, notes=NOTE)
    client = cast.api(cast.sergei, raise_request_exception=False)
    twin = {"object_id": str(place.pk), "full_name": NAME, "phone": PHONE}
    assert client.post(f"{API}/customers", twin).status_code == 409
    item = {"client_generated_id": str(uuid4()), "table_name": "customers", "payload": twin}
    client.post(f"{API}/sync/batch", {"items": [item]})

    def broken(*_: Any, **__: Any) -> None:
        raise IntegrityError(f"Key (phone, full_name)=({PHONE}, {NAME}) already exists, {EMAIL}")

    with monkeypatch.context() as defect:
        defect.setattr("crm.users.views.MeView.shown", broken)
        assert client.get(f"{API}/users/me?phone={PHONE}").status_code == 500


def every_page(cast: Cast) -> None:
    """The back office, searched for people."""
    client = desk(cast.sergei)
    for path in ("objects/object/", "clients/customer/", "users/user/", "visits/visit/", "search/"):
        for typed in TYPED[3:6]:
            client.get(f"/admin/{path}", {"q": typed})
    client.get(f"/admin/clients/customer/{PHONE}/change/")
    stranger = Client()
    stranger.post(OFFICE_DOOR, {"username": EMAIL, "password": PASSWORD})
    stranger.post(OFFICE_DOOR, {"username": cast.anna.email, "password": PASSWORD})


@pytest.mark.parametrize("level", [10], ids=["debug"])
def test_a_round(  # noqa: PLR0917 - fixtures
    cast: Cast,
    world: World,  # noqa: F811
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    reports_path: Any,
    level: int,
) -> None:
    settings.REDIS_URL = ""
    # The job is done here and now.
    monkeypatch.setattr("crm.jobs.inprocess.wake", lambda: None)
    with listening(level) as log:
        pair = cast.api(None).post(
            f"{API}/auth/token", {"username": cast.ivan.email, "password": PASSWORD}
        )
        tokens = [pair.json()["access_token"], pair.json()["refresh_token"]]
        cast.api(None).post(f"{API}/auth/refresh", {"refresh_token": tokens[1]})
        cast.api(None).post(f"{API}/auth/refresh", {"refresh_token": tokens[1]})
        tokens += every_row(cast, world)
        every_typing_mistake(cast)
        every_clash(cast, monkeypatch)
        every_page(cast)
        job = done(asked(cast, cast.sergei, entity="customers", filters={"q": PHONE}))
        content(cast.api(cast.sergei).get(f"{API}/reports/jobs/{job.pk}/download"))
    assert len(log.of("crm.access")) > 500
    assert {line["status"] for line in log.of("crm.access")} >= {
        200,
        201,
        401,
        403,
        404,
        409,
        422,
        500,
    }
    assert len(log.of("crm.jobs")) == 1
    assert AuditEntry.objects.count() > 0
    assert found_in(log, set(private(tokens))) == []
    # Nor a query string, whatever was in it.
    assert [line for line in log.json if "?" in line.replace("<", "")] == []
    for line in log.json:
        json.loads(line)
