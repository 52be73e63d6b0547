"""A hunt for deadlocks: batches, and all that the API can do to the same few rows, many at once."""

import os
import random
import threading
import time
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

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
        self.cast = cast
        self.random = random.Random(number)
        self.users = [cast.ivan, cast.sergei, cast.anna]
        self.user = self.users[number % 3]
        self.api = cast.api(self.user)
        # Only administrators restore.
        self.office = cast.api(cast.anna)
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

    def told(self, kind: str, answer: Any) -> None:
        """Keep an answer."""
        self.answers.append((kind, answer.status_code, answer.getvalue().decode()[:300]))

    def rename(self) -> None:
        """What is searched by is written into every record that shows it."""
        name = f"Имя {self.random.randrange(9)}"
        self.told("rename", self.api.patch("/api/v1/users/me", {"full_name": name}))

    def rename_by_office(self) -> None:
        """What is unique as well: such a change locks against references."""
        number = self.random.randrange(9)
        path, body = self.random.choice(
            [
                (f"dictionaries/cities/{self.cast.moscow.pk}", {"name": f"Москва {number}"}),
                (f"dictionaries/districts/{self.cast.centre.pk}", {"name": f"Центр {number}"}),
                (
                    f"users/{self.cast.ivan.pk}",
                    {"full_name": f"Имя {number}", "email": f"ivan{number}@crm.test"},
                ),
            ]
        )
        self.told("rename_by_office", self.office.patch(f"/api/v1/{path}", body))

    def picked(self, model: Any, **values: Any) -> Any:
        """The id of one of the records, or of none."""
        found = list(model._base_manager.filter(**values).values_list("pk", flat=True))
        return self.random.choice(found) if found else uuid4()

    def act(self) -> None:
        """A move of a visit."""
        visit = self.picked(Visit, deleted_at=None)
        name = self.random.choice(["start", "complete", "complete", "cancel", "reopen"])
        version = Visit._base_manager.filter(pk=visit).values_list("version", flat=True).first()
        body = {"version": version or 1}
        if name == "complete":
            body["outcome_text"] = "Да"  # type: ignore[assignment]
        self.told(name, self.api.post(f"/api/v1/visits/{visit}/{name}", body))

    def reassign(self) -> None:
        """To another person, or to another object."""
        visit = self.picked(Visit, deleted_at=None)
        body = self.random.choice(
            [
                {"engineer_id": self.random.choice([self.cast.ivan, self.cast.pyotr]).pk},
                {"object_id": self.picked(Object, deleted_at=None), "unit_id": None, "customer_id": None},
            ]
        )  # fmt: skip
        answer = self.api.patch(
            f"/api/v1/visits/{visit}", {k: v and str(v) for k, v in body.items()}
        )
        self.told("reassign", answer)

    def delegate(self) -> None:
        house = self.picked(Object, deleted_at=None)
        path = f"/api/v1/objects/{house}/delegate?supervisor_id={self.cast.sergei.pk}"
        self.told("delegate", self.api.post(path))

    def hand_over(self) -> None:
        """Who is responsible, which moves the ledger."""
        house = self.picked(Object, deleted_at=None)
        person = self.random.choice([self.cast.ivan.pk, self.cast.pyotr.pk, None])
        body = {"responsible_user_id": person and str(person)}
        self.told("hand_over", self.api.patch(f"/api/v1/objects/{house}", body))

    def move(self) -> None:
        """Between districts, with all that hangs on it."""
        house = self.picked(Object, deleted_at=None)
        place = self.random.choice([self.cast.centre, self.cast.north])
        self.told(
            "move", self.api.patch(f"/api/v1/objects/{house}", {"district_id": str(place.pk)})
        )

    def remove(self) -> None:
        model, table = self.random.choice(
            [(Object, "objects"), (Unit, "units"), (Customer, "customers"), (Visit, "visits")]
        )
        if model is Object and len(self.rows(Object)) < 5:
            return
        self.told(
            "delete", self.api.delete(f"/api/v1/{table}/{self.picked(model, deleted_at=None)}")
        )

    def restore(self) -> None:
        model, table = self.random.choice(
            [(Object, "objects"), (Object, "objects"), (Customer, "customers"), (Visit, "visits")]
        )
        one = self.picked(model, deleted_at__isnull=False)
        self.told("restore", self.office.post(f"/api/v1/{table}/{one}/restore"))

    def pull(self) -> None:
        self.told("pull", self.api.get("/api/v1/sync/changes?limit=50"))

    def hunt(self) -> "Hunter":
        often = [self.batch, self.batch, self.single, self.single, self.act]
        seldom = [
            self.rename, self.rename_by_office, self.reassign, self.delegate, self.hand_over, self.move,
            self.remove, self.restore, self.pull,
        ]  # fmt: skip
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            self.random.choice([*often * 2, *seldom])()
        return self


def deadlocks() -> int:
    """How many the server has had to break in this database, whoever was told of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


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
    before = deadlocks()
    hunters = [Hunter(cast, n) for n in range(CONNECTIONS)]
    back = run_together(*(hunter.hunt for hunter in hunters))
    assert not [one for one in back if isinstance(one, BaseException)], back
    answers = [answer for hunter in hunters for answer in hunter.answers]
    bad = [a for a in answers if a[1] >= 500]
    assert bad == []
    assert deadlocks() == before
    # Everything was tried, and what can always be done was done.
    done = {kind for kind, status, _text in answers if status < 300}
    assert done >= {"batch", "single", "complete", "delete", "pull"}
    if SECONDS >= 30:
        assert {kind for kind, _status, _text in answers} >= {
            "start", "cancel", "reopen", "reassign", "delegate", "hand_over", "move", "restore", "rename",
            "rename_by_office",
        }  # fmt: skip
    assert {status for kind, status, _text in answers if kind == "batch"} <= {200, 409}
    assert not [code for hunter in hunters for code in hunter.codes if code == "INTERNAL_ERROR"]
    batches = sum(kind == "batch" for kind, _status, _text in answers)
    assert batches > CONNECTIONS
    # A retry is the way out of what cannot be ordered, not the way things go.
    assert len(attempts) - batches <= max(2, batches // 20)
    # What the triggers keep is right after all that.
    for house in Object.objects.all():
        finished = Visit.objects.filter(object=house, status="DONE", deleted_at__isnull=True)
        assert house.visits_count == finished.count()


def test_a_house_comes_back_while_its_phones_are_pushed(cast: Cast) -> None:
    """Restoring takes many unique values at once, as a push does; neither knows of the other's."""
    before = deadlocks()
    anna, ivan = cast.api(cast.anna), cast.api(cast.ivan)
    phones = [f"+7998333{number:04d}" for number in range(120)]
    found = set()
    for _round in range(6):
        house, other = cast.object(), cast.object()
        Customer.objects.bulk_create(Customer(object=house, phone=phone) for phone in phones)
        others = Customer.objects.bulk_create(Customer(object=other) for _phone in phones)
        assert anna.delete(f"/api/v1/objects/{house.pk}").status_code == 204
        items = [
            item("customers", one.pk, 1, phone=phone)
            for one, phone in zip(sorted(others, key=lambda o: o.pk), reversed(phones), strict=True)
        ]
        answers = run_together(
            partial(anna.post, f"/api/v1/objects/{house.pk}/restore"),
            partial(ivan.post, URL, {"items": items}),
        )
        assert [a for a in answers if isinstance(a, BaseException) or a.status_code >= 500] == []
        found.add(tuple(a.status_code for a in answers))
        Customer._base_manager.filter(deleted_at=None).update(phone=None)
    assert deadlocks() == before
    # One of them had the phones.
    assert found <= {(200, 200), (409, 200)}


@pytest.mark.parametrize("what", ["city", "district", "person"])
def test_what_many_records_show_is_renamed_while_they_are_written(cast: Cast, what: str) -> None:
    """A unique name locks against references, which are checked when a transaction ends."""
    house = cast.object()
    visit = cast.visit(house, cast.ivan)
    before = deadlocks()
    written = threading.Event()

    def write() -> None:
        with transaction.atomic():
            Object.objects.filter(pk=house.pk).update(contact_name="Мария")
            Visit.objects.filter(pk=visit.pk).update(outcome_text="Да")
            cast.visit(cast.object(), cast.ivan)
            written.set()
            time.sleep(0.5)

    path, body = {
        "city": (f"dictionaries/cities/{cast.moscow.pk}", {"name": "Новая Москва"}),
        "district": (f"dictionaries/districts/{cast.centre.pk}", {"name": "Новый Центр"}),
        "person": (f"users/{cast.ivan.pk}", {"full_name": "Новый Иван", "email": "new@crm.test"}),
    }[what]
    anna = cast.api(cast.anna)

    def rename() -> int:
        written.wait(30)
        status: int = anna.patch(f"/api/v1/{path}", body).status_code
        return status

    assert run_together(write, rename) == [None, 200]
    assert deadlocks() == before
    words = Object.objects.get(pk=house.pk).search_text + Visit.objects.get(pk=visit.pk).search_text
    assert "нов" in words
