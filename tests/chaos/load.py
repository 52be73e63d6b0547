"""Who uses the deployment while it is being broken: phones, supervisors, exports, logins, a desk.

Each is a thread of its own. What is written carries a value that is written nowhere else (`mark`).
"""

import http.client
import random
import threading
import time
import urllib.error
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.chaos.witness import NO_ANSWER, Caller, Witness, Write, as_json, writing
from tests.sync.pocket import reference_client

# The field of each table that carries the mark.
MARKED: Final = {
    "objects": "contact_name", "units": "attributes", "customers": "notes", "visits": "outcome_text",
}  # fmt: skip
PASSWORDS: Final = {
    "admin@example.com": "admin123", "supervisor@example.com": "supervisor123",
    "engineer1@example.com": "engineer123", "engineer2@example.com": "engineer123",
    "supervisor.kazan@example.com": "supervisor123", "engineer.kazan@example.com": "engineer123",
}  # fmt: skip
# Refusals that people's work can meet when others work on the same records.
EXPECTED: Final = {
    "CONFLICT", "DEPENDENCY_FAILED", "NOT_FOUND", "DELETED", "FORBIDDEN", "VALIDATION_ERROR", "DUPLICATE",
}  # fmt: skip
HOT: Final = 6


def mark() -> str:
    """A value that stands nowhere else."""
    return f"м-{uuid4().hex}"


class Client(threading.Thread):
    """Somebody at work until told to stop. What goes wrong with the client itself is a finding, too."""

    pace = 0.2

    def __init__(self, email: str, port: int, witness: Witness, seed: int) -> None:
        self.who = f"{type(self).__name__.lower()} {seed} {email.partition('@')[0]}"
        super().__init__(name=self.who, daemon=True)
        self.email, self.witness = email, witness
        self.chance = random.Random(seed)
        self.caller = Caller(self.who, port, witness)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work, then finish."""
        try:
            self.begin()
            while not self.stopping.wait(self.pace * self.chance.uniform(0.5, 1.5)):
                try:
                    self.work()
                except OSError:
                    # No network, no server: again later.
                    continue
            self.finish()
        except Exception as error:
            self.witness.note(self.witness.wrong, f"{self.who}: {type(error).__name__}: {error}")
            raise

    def begin(self) -> None:
        """Log in, as often as it takes."""
        while True:
            try:
                if self.caller.log_in(self.email, PASSWORDS[self.email]) == 200:
                    return
            except OSError:
                pass
            time.sleep(0.2)

    def work(self) -> None:
        """One thing. Raises OSError when there is no answer."""
        raise NotImplementedError

    def finish(self) -> None:
        """What is left to do when everything is calm again."""


class PhoneUser(Client):
    """A person with the reference client of docs/examples."""

    pace = 0.3

    def __init__(
        self, email: str, port: int, witness: Witness, seed: int, all_pushed: threading.Barrier
    ) -> None:
        super().__init__(email, port, witness, seed)
        self.all_pushed = all_pushed
        self.held: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.left: list[Any] = []
        self.syncs = 0
        self.phone: Any = None

    def run(self) -> None:
        """As everybody; nobody waits for a phone that has failed."""
        try:
            super().run()
        except Exception:
            self.all_pushed.abort()
            raise

    def begin(self) -> None:
        super().begin()
        module = reference_client()
        self.phone = module.Phone(":memory:", f"http://127.0.0.1:{self.caller.port}")
        self.phone.remember("token", self.caller.token)
        self.plain, self.phone.request = self.phone.request, self.request
        self.settled, self.phone.settle = self.phone.settle, self.settle

    def request(self, method: str, path: str, body: Any, expected: int = 200) -> tuple[int, Any]:
        """The client's own request, watched."""
        begun, what = time.monotonic(), f"{method} /api/v1{path.partition('?')[0]}"
        try:
            status, told = self.plain(method, path, body, expected)
        except urllib.error.HTTPError as error:
            told = as_json(error.read())
            self.witness.saw(self.who, what, error.code, begun, headers=error.headers, body=told)
            raise
        except (OSError, http.client.HTTPException):
            self.witness.saw(self.who, what, NO_ANSWER, begun)
            raise
        self.witness.saw(self.who, what, status, begun, body=told)
        return status, told

    def settle(self, row: tuple[Any, ...], result: dict[str, Any]) -> None:
        """The client's own, and what it was promised."""
        self.settled(row, result)
        _number, table, record, action, payload = row[:5]
        code = result["error_code"]
        if code is not None:
            if code not in EXPECTED:
                self.witness.note(self.witness.wrong, f"{self.who}: an item was answered by {code}")
            return
        if result["status"] == "created":
            self.witness.note(self.witness.created, (table, record))
        value = as_json(payload.encode()).get(MARKED[table]) if action == "upsert" else None
        if value is not None:
            write = Write(table, record, MARKED[table], value, result["server_version"])
            self.witness.note(self.witness.promised, write)

    def work(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.type_something()
        self.phone.sync()
        self.syncs += 1

    def type_something(self) -> None:
        """As somebody on the way does."""
        phone, chance = self.phone, self.chance
        match chance.choices(("house", "edit", "done", "refused"), (2, 6, 2, 1))[0]:
            case "house":
                house = phone.create(
                    "objects", address=f"ул. Шаткая, {mark()}", contact_name=mark(), **self.place()
                )
                flat = phone.create(
                    "units", object_id=house, unit_number="1", attributes={"знак": mark()}
                )
                phone.create("customers", object_id=house, unit_id=flat, notes=mark())
                phone.create("visits", object_id=house, unit_id=flat, outcome_text=mark())
            case "edit":
                table = chance.choice(("objects", "objects", "customers", "units"))
                if record := self.one_of(table):
                    value: Any = {"знак": mark()} if table == "units" else mark()
                    phone.edit(table, record, **{MARKED[table]: value})
            case "done":
                planned = [
                    key
                    for key, row in phone.show("visits").items()
                    if row.get("status") == "PLANNED"
                ]
                if planned:
                    phone.edit("visits", chance.choice(planned), status="DONE", outcome_text=mark())
            case "refused":
                for refused in phone.refused():
                    insist = refused["error_code"] == "CONFLICT" and chance.random() < 0.5
                    (phone.insist if insist else phone.discard)(refused["number"])

    def place(self) -> dict[str, Any]:
        """Where a new house stands: an engineer's own district is the default, others say it."""
        if self.email.startswith("engineer"):
            return {}
        known: dict[str, Any] = next(iter(self.phone.show("objects").values()), {})
        return {name: known.get(name) for name in ("city_id", "district_id")}

    def one_of(self, table: str) -> str | None:
        """A record, often one of the few that everybody edits."""
        keys = sorted(
            key
            for [key] in self.phone.db.execute(
                "SELECT id FROM records WHERE table_name = ?", [table]
            )
        )
        if not keys:
            return None
        return str(self.chance.choice(keys[:HOT] if self.chance.random() < 0.5 else keys))

    def finish(self) -> None:
        """Everything typed is sent; and when everybody has, everything is fetched."""
        deadline = time.monotonic() + 60
        waiting = "SELECT * FROM outbox WHERE refusal IS NULL"
        for step in (self.phone.push, self.phone.pull):
            while time.monotonic() < deadline:
                try:
                    step()
                except OSError:
                    time.sleep(0.2)
                    continue
                if step == self.phone.pull or not self.phone.db.execute(waiting).fetchall():
                    break
            self.all_pushed.wait(90)
        rows = self.phone.db.execute("SELECT table_name, id, version, data FROM records")
        self.held = {
            (table, key): (version, as_json(data.encode())) for table, key, version, data in rows
        }
        self.left = self.phone.db.execute(waiting).fetchall()


class Supervisor(Client):
    """Reads, edits with versions, plans, moves and reassigns, and now and then deletes."""

    def begin(self) -> None:
        super().begin()
        self.engineers: list[str] = []
        self.districts: list[dict[str, Any]] = []

    def work(self) -> None:
        if not self.districts:
            self.engineers = [row["id"] for row in self.read("/users?role=ENGINEER")]
            self.districts = self.read("/dictionaries/districts")
        job = self.chance.choices(
            (self.edit, self.plan, self.add, self.complete, self.move, self.look, self.delete),
            (6, 2, 2, 2, 2, 2, 0.3),
        )[0]
        job()

    def read(self, path: str) -> Any:
        """Some JSON. Raises ConnectionError for any refusal."""
        status, body = self.caller.ask("GET", f"/api/v1{path}")
        if status != 200:
            raise ConnectionError(status)
        return body

    def an_object(self, *, hot: bool = True) -> dict[str, Any]:
        """Any object, or one of the few that everybody edits."""
        page = self.read("/objects?sort=created_at&limit=60")["items"]
        return dict(
            self.chance.choice(page[:HOT] if hot and self.chance.random() < 0.6 else page[HOT:])
        )

    def send(
        self, method: str, path: str, body: dict[str, Any], write: Write | None = None
    ) -> tuple[int, Any]:
        """A write; with a mark it is noted what became of it."""
        if write is None:
            return self.caller.ask(method, f"/api/v1{path}", body)
        with writing(self.witness, write) as statuses:
            status, told = self.caller.ask(method, f"/api/v1{path}", body)
            statuses.append(status)
        if status in (200, 201):
            version = told["version"]
            promised = Write(write.table, told["id"], write.field, write.value, version)
            self.witness.note(self.witness.promised, promised)
        return status, told

    def edit(self) -> None:
        """Two of them with the same version: exactly one may win."""
        found, value = self.an_object(), mark()
        write = Write("objects", found["id"], "contact_name", value)
        body = {"contact_name": value, "version": found["version"]}
        self.send("PATCH", f"/objects/{found['id']}", body, write)

    def plan(self) -> None:
        """A visit of an engineer brings the object into their sight."""
        body = {
            "object_id": self.an_object()["id"],
            "engineer_id": self.chance.choice(self.engineers),
        }
        self.created("visits", body, Write("visits", "", "outcome_text", mark()))

    def add(self) -> None:
        """A customer."""
        self.created(
            "customers",
            {"object_id": self.an_object()["id"]},
            Write("customers", "", "notes", mark()),
        )

    def created(self, table: str, body: dict[str, Any], write: Write) -> None:
        """A new record."""
        status, told = self.send("POST", f"/{table}", {**body, write.field: write.value}, write)
        if status == 201:
            self.witness.note(self.witness.created, (table, told["id"]))

    def complete(self) -> None:
        """A visit is done: the object's counters move."""
        page = self.read("/visits?status=PLANNED&limit=20")["items"]
        if page:
            visit, value = self.chance.choice(page), mark()
            body = {"outcome_text": value, "version": visit["version"]}
            write = Write("visits", visit["id"], "outcome_text", value)
            self.send("POST", f"/visits/{visit['id']}/complete", body, write)

    def move(self) -> None:
        """Into another district of its city, or to another person: in and out of sight."""
        found = self.an_object(hot=False)
        near = [row["id"] for row in self.districts if row["city_id"] == found["city_id"]]
        change: dict[str, Any] = {
            "responsible_user_id": self.chance.choice([*self.engineers, None])
        }
        if near and self.chance.random() < 0.5:
            change = {"district_id": self.chance.choice(near)}
        self.send("PATCH", f"/objects/{found['id']}", {**change, "version": found["version"]})

    def look(self) -> None:
        """What a web client shows."""
        self.read(
            self.chance.choice(
                ("/analytics/summary", "/visits?limit=50", "/audit?limit=20", "/visits/reminders")
            )
        )

    def delete(self) -> None:
        """An object with all that hangs on it."""
        self.caller.ask("DELETE", f"/api/v1/objects/{self.an_object(hot=False)['id']}")


class Exporter(Client):
    """Asks for files, looks how far they are, fetches them."""

    pace = 2.0

    def begin(self) -> None:
        super().begin()
        self.mine: list[str] = []

    def work(self) -> None:
        entity = self.chance.choice(("objects", "customers", "visits"))
        # Of the same export only one is made: each of these is another one.
        body = {
            "entity": entity, "format": self.chance.choice(("csv", "xlsx")),
            "filters": {"updated_from": f"2020-01-01T00:00:{self.chance.uniform(10, 59):.6f}Z"},
        }  # fmt: skip
        status, job = self.caller.ask("POST", "/api/v1/reports/export", body)
        if status == 201:
            self.mine.append(job["id"])
            self.witness.note(self.witness.exports, job["id"])
        elif status not in (200, 429, 503):
            self.witness.note(
                self.witness.wrong, f"{self.who}: an export was answered by {status}: {job}"
            )
        for job_id in self.mine[-3:]:
            status, job = self.caller.ask("GET", f"/api/v1/reports/jobs/{job_id}")
            if status == 200 and job["status"] == "done":
                self.caller.ask("GET", f"/api/v1/reports/jobs/{job_id}/download")


class Newcomer(Client):
    """Logs in, looks who they are, and leaves."""

    pace = 0.7

    def work(self) -> None:
        if self.caller.log_in(self.email, PASSWORDS[self.email]) == 200:
            self.caller.ask("GET", "/api/v1/users/me")
            self.caller.ask("POST", "/api/v1/auth/logout")


class Desk(Client):
    """Somebody who opens a page of the back office."""

    pace = 0.5

    def begin(self) -> None:
        """Pages need no token."""

    def work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.caller.port, timeout=30)
        begun = time.monotonic()
        path = self.chance.choice(("/admin/", "/admin/login/"))
        status = NO_ANSWER
        try:
            # A session that does not exist is looked for in the database.
            connection.request("GET", path, headers={"Cookie": f"crm_office={uuid4().hex}"})
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
            # A page has no envelope; of a refusal only the status and the wait matter.
            refusal = {"error": dict.fromkeys(("code", "message", "details", "request_id"))}
            headers = answer.headers if status else None
            self.witness.saw(self.who, f"GET {path}", status, begun, headers=headers, body=refusal)


def crowd(port: int, witness: Witness, seed: int) -> tuple[list[PhoneUser], list[Client]]:
    """Everybody: the phones, and the others."""
    owners = (
        "engineer1@example.com", "engineer1@example.com", "engineer2@example.com",
        "engineer.kazan@example.com", "supervisor@example.com",
    )  # fmt: skip
    barrier = threading.Barrier(len(owners))
    phones = [
        PhoneUser(email, port, witness, seed + number, barrier)
        for number, email in enumerate(owners)
    ]
    kinds: list[tuple[Callable[..., Client], str]] = [
        (Supervisor, "supervisor@example.com"), (Supervisor, "supervisor@example.com"),
        (Supervisor, "admin@example.com"), (Supervisor, "supervisor.kazan@example.com"),
        (Exporter, "admin@example.com"), (Exporter, "supervisor@example.com"),
        (Newcomer, "engineer2@example.com"), (Desk, "admin@example.com"),
    ]  # fmt: skip
    others = [kind(email, port, witness, seed + 100 + n) for n, (kind, email) in enumerate(kinds)]
    return phones, others
