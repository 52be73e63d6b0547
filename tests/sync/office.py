"""What others do meanwhile: by the API as an administrator or a supervisor, and by plain SQL.

Records and people are named by number, in the order in which they came up, so that a run can be repeated.
Whatever a rule forbids is refused by the server, and that is fine: only a defect (5xx) is not.
"""

from collections.abc import Callable
from typing import Any

from crm.territory.models import District
from crm.users.models import User
from objects.models import Object
from sync.entities import BY_NAME, TABLES
from tests.cast import Cast
from visits.models import Visit

# Places by number: city and district.
PLACES = ("centre", "north", "moscow", "vakhitovsky", "kazan")
# People who may be given work, by number.
WORKERS = ("ivan", "pyotr", "timur", "sergei")
MASKED = ("phone", "contact_phone")


class Office:
    """The actors, and every record's id by table in the order of coming up."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.apis = [cast.api(cast.anna), cast.api(cast.sergei)]
        self.ids: dict[str, list[str]] = {table: [] for table in TABLES}
        self.secrets: set[str] = set()
        self.made = 0
        self.wrote: Callable[[], None] = lambda: None

    # --- naming ---

    def place(self, number: int) -> dict[str, str | None]:
        """City and district."""
        name = PLACES[number % len(PLACES)]
        if name in ("moscow", "kazan"):
            return {"city_id": str(getattr(self.cast, name).pk), "district_id": None}
        district = getattr(self.cast, name)
        return {"city_id": str(district.city_id), "district_id": str(district.pk)}

    def worker(self, number: int) -> str:
        """Somebody's id."""
        return str(getattr(self.cast, WORKERS[number % len(WORKERS)]).pk)

    def pick(self, table: str, number: int) -> str | None:
        """A record's id, deleted or not; 0 is the latest."""
        known = self.ids[table]
        return known[-1 - number % len(known)] if known else None

    def next_number(self) -> int:
        """A number that has not been used yet."""
        self.made += 1
        return self.made

    def number(self) -> str:
        """The next phone number, as E.164; no engineer may see it whole."""
        digits = f"903{self.next_number():07d}"
        # As it is stored, and as people type it.
        self.secrets |= {digits, f"8 (903) {digits[3:6]}-{digits[6:8]}-{digits[8:]}"}
        return f"+7{digits}"

    def typed(self) -> str:
        """The next phone number, as people type it."""
        digits = self.number()[2:]
        return f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}"

    def settle(self, district: District) -> None:
        """A house with a flat and a resident."""
        house = self.cast.object(district=district, contact_phone=self.number())
        flat = self.cast.unit(house)
        resident = self.cast.customer(house, unit=flat, phone=self.number())
        for table, record in (("objects", house), ("units", flat), ("customers", resident)):
            self.ids[table].append(str(record.pk))

    # --- by the API ---

    def ask(self, actor: int, method: str, path: str, body: Any = None) -> Any:
        """One request; what it made is taken into the books."""
        call = getattr(self.apis[actor % len(self.apis)], method)
        answer = call(f"/api/v1/{path}", body) if body is not None else call(f"/api/v1/{path}")
        assert answer.status_code < 500, answer.content
        self.wrote()
        table = path.partition("/")[0]
        if method == "post" and answer.status_code == 201 and table in self.ids:
            self.ids[table].append(answer.json()["id"])
        return answer

    def create_object(self, actor: int, place: int, worker: int | None) -> None:
        """A new object, perhaps with somebody responsible."""
        body = {"type": "MKD", "address": f"ул. Машинная, д. {len(self.ids['objects'])}"}
        whose = {} if worker is None else {"responsible_user_id": self.worker(worker)}
        phone = {"contact_phone": self.number()}
        self.ask(actor, "post", "objects", {**body, **phone, **self.place(place), **whose})

    def hang(self, actor: int, table: str, parent: int) -> None:
        """A new flat or resident."""
        place = self.pick("objects", parent)
        if place is None:
            return
        number = self.next_number()
        body = (
            {"unit_number": str(number)}
            if table == "units"
            else {"full_name": f"Имя {number}", "phone": self.number()}
        )
        self.ask(actor, "post", table, {"object_id": place, **body})

    def plan(self, actor: int, parent: int, worker: int, status: str) -> None:
        """A visit, planned or already further."""
        place = self.pick("objects", parent)
        if place is not None:
            body = {"object_id": place, "engineer_id": self.worker(worker), "status": status}
            self.ask(actor, "post", "visits", {**body, "outcome_text": "Поговорили"})

    def edit(self, actor: int, table: str, number: int, change: dict[str, Any]) -> None:
        """Some fields of a record, whatever its version is."""
        found = self.pick(table, number)
        if found is not None:
            self.ask(actor, "patch", f"{table}/{found}", change)

    def delete(self, actor: int, table: str, number: int) -> None:
        """A record, softly."""
        found = self.pick(table, number)
        if found is not None:
            self.ask(actor, "delete", f"{table}/{found}")

    def restore(self, table: str, number: int) -> None:
        """A deleted record, one that really is deleted where there is any."""
        gone = {
            str(pk)
            for pk in BY_NAME[table]
            .model._base_manager.exclude(deleted_at=None)
            .values_list("pk", flat=True)
        }
        known = [one for one in self.ids[table] if one in gone]
        if known:
            self.ask(0, "post", f"{table}/{known[-1 - number % len(known)]}/restore", {})

    def change_person(self, user: User, change: dict[str, Any]) -> None:
        """Somebody's role, place or activity, as the administrator."""
        self.ask(0, "patch", f"users/{user.pk}", change)

    # --- by plain SQL, many rows in one statement ---

    def move_all(self, source: int, target: int) -> None:
        """Every object of a place moves to another one."""
        Object.objects.live().filter(**self.place(source)).update(**self.place(target))
        self.wrote()

    def hand_over_all(self, source: int, target: int) -> None:
        """All of one person's work goes to somebody else."""
        old, new = self.worker(source), self.worker(target)
        Visit.objects.live().filter(engineer_id=old).update(engineer_id=new)
        self.wrote()
        Object.objects.live().filter(responsible_user_id=old).update(responsible_user_id=new)
        self.wrote()
