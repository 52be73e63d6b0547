"""A hunt for deadlocks: batches and edits by the API over the same few rows, many connections at once."""

import os
import random
import time
from typing import Any
from uuid import uuid4

import pytest

from clients.models import Customer
from objects.models import Object, Unit
from sync import push as pushing
from tests.cast import Cast
from tests.concurrency import run_together
from tests.sync.pushing import URL, item, removal
from visits.models import Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql_only]

CONNECTIONS = 8
# The whole hunt takes 30 s: HUNT_SECONDS=30.
SECONDS = float(os.environ.get("HUNT_SECONDS", "6"))


class Hunter:
    """One connection's random work."""

    def __init__(self, cast: Cast, number: int) -> None:
        self.random = random.Random(number)
        self.users = [cast.ivan, cast.sergei, cast.anna]
        self.user = self.users[number % 3]
        self.api = cast.api(self.user)
        self.renamed = cast.ivan
        self.answers: list[tuple[str, int, str]] = []
        self.codes: list[str] = []

    def rows(self, model: Any) -> list[Any]:
        return list(
            model._base_manager.filter(deleted_at__isnull=True).values_list("pk", "version")
        )

    def phone(self) -> str:
        return f"+79980000{self.random.randrange(300):03d}"

    def edit(self) -> dict[str, Any]:
        """One item on a random record."""
        model, table = self.random.choice(
            [(Object, "objects"), (Unit, "units"), (Customer, "customers"), (Visit, "visits")]
        )
        rows = self.rows(model)
        if not rows or self.random.random() < 0.1:
            return self.creation()
        pk, version = self.random.choice(rows)
        if self.random.random() < (0.001 if table == "objects" else 0.02):
            return removal(table, pk, version)
        payload: dict[str, Any] = {
            "objects": {"contact_name": str(self.random.random()),
                "address": f"ул. Новая, д. {self.random.randrange(9)}"},
            "units": {"unit_number": str(self.random.randrange(9))},
            "customers": {"phone": self.phone(), "full_name": str(self.random.random())},
            "visits": self.random.choice(
                [
                    {"status": "DONE", "outcome_text": "Да"},
                    {"status": "CANCELLED"},
                    {"outcome_text": str(self.random.random())},
                ]
            ),
        }[table]  # fmt: skip
        return item(table, pk, version, **payload) | {"updated_at": str(uuid4())}

    def creation(self) -> dict[str, Any]:
        houses = self.rows(Object)
        if len(houses) < 4:
            place = {"city_id": self.renamed.city_id, "district_id": self.renamed.district_id}
            return item("objects", address="ул. Снова, д. 1", **place)
        house = self.random.choice(houses)[0]
        return self.random.choice(
            [
                item("customers", object_id=house, phone=self.phone()),
                item("units", object_id=house, unit_number=str(self.random.randrange(9))),
                item("visits", object_id=house, status="DONE", outcome_text="Да"),
            ]
        )

    def batch(self) -> None:
        items = [self.edit() for _n in range(self.random.randrange(5, 40))]
        strategy = self.random.choice(["reject", "merge", "force"])
        answer = self.api.post(URL, {"items": items, "strategy": strategy})
        self.answers.append(("batch", answer.status_code, answer.content.decode()[:300]))
        if answer.status_code in {200, 409}:
            self.codes += [r["error_code"] or r["status"] for r in answer.json()["results"]]

    def single(self) -> None:
        one = self.edit()
        path = f"/api/v1/{one['table_name']}/{one['client_generated_id']}"
        if one["action"] == "delete":
            answer = self.api.delete(path)
        elif one["version"] is None:
            answer = self.api.post(f"/api/v1/{one['table_name']}", one["payload"])
        else:
            answer = self.api.patch(path, one["payload"])
        self.answers.append(("single", answer.status_code, answer.content.decode()[:300]))

    def rename(self) -> None:
        answer = self.api.patch(
            "/api/v1/users/me", {"full_name": f"Имя {self.random.randrange(9)}"}
        )
        self.answers.append(("rename", answer.status_code, answer.content.decode()[:300]))

    def hunt(self) -> "Hunter":
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            self.random.choice(
                [self.batch, self.batch, self.single, self.single, self.single, self.rename]
            )()
        return self


def test_no_deadlock_reaches_anybody(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMIT_ENABLED = False
    for _n in range(6):
        house = cast.object()
        for _m in range(3):
            cast.visit(house, cast.ivan, unit=cast.unit(house), customer=cast.customer(house))
    attempts: list[int] = []
    real = pushing.Attempt.run

    def counted(self: pushing.Attempt) -> pushing.Pushed:
        attempts.append(1)
        return real(self)

    monkeypatch.setattr(pushing.Attempt, "run", counted)
    hunters = [Hunter(cast, n) for n in range(CONNECTIONS)]
    back = run_together(*(hunter.hunt for hunter in hunters))
    assert not [one for one in back if isinstance(one, BaseException)], back
    answers = [answer for hunter in hunters for answer in hunter.answers]
    bad = [a for a in answers if a[1] >= 500]
    assert bad == []
    assert {status for kind, status, _text in answers if kind == "batch"} <= {200, 409}
    assert not [code for hunter in hunters for code in hunter.codes if code == "INTERNAL_ERROR"]
    batches = sum(kind == "batch" for kind, _status, _text in answers)
    assert batches > CONNECTIONS
    # A retry is the way out of what cannot be ordered, not the way things go.
    assert len(attempts) - batches <= max(2, batches // 20)
    # What the triggers keep is right after all that.
    for house in Object.objects.all():
        done = Visit.objects.filter(object=house, status="DONE", deleted_at__isnull=True)
        assert house.visits_count == done.count()
