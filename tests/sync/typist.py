"""What a person types into their phone, chosen by number so that a run can be repeated."""

from collections.abc import Mapping
from typing import Any

from tests.sync.office import Office
from tests.sync.pocket import Pocket


class Typist:
    """One person with their phone. What they type is in the office's books before anybody hears of it."""

    def __init__(self, pocket: Pocket, office: Office) -> None:
        self.phone, self.office = pocket.phone, office

    def house(self, parts: int, where: Mapping[str, Any]) -> None:
        """A new object; the bits of `parts` say what comes along in one chain."""
        address = f"ул. Карманная, д. {self.office.next_number()}"
        phone = self.office.typed()
        house = self.create("objects", address=address, contact_phone=phone, **where)
        flat = None
        if parts & 1:
            number = str(self.office.next_number())
            flat = self.create("units", object_id=house, unit_number=number)
        if parts & 2:
            phone = self.office.typed()
            self.create("customers", object_id=house, unit_id=flat, phone=phone)
        if parts & 4:
            self.create("visits", object_id=house, unit_id=flat, status="PLANNED")
        if parts & 8:
            self.phone.edit("objects", house, status="INTEREST", what_an_old_app_knew=1)

    def something_of_a_house(self, table: str, parent: int, status: str) -> None:
        """A new flat, resident or visit."""
        house = self.pick("objects", parent)
        if house is None:
            return
        fields: dict[str, Any] = {
            "units": {"unit_number": str(parent)},
            "customers": {"phone": self.office.typed()},
            "visits": {"status": status, "outcome_text": "Были"},
        }[table]
        self.create(table, object_id=house, **fields)

    def edit(self, table: str, number: int, what: int, *, stale: bool) -> None:
        """Some fields of a record. stale: not based on the version that was seen, as in an older app."""
        record = self.pick(table, number)
        if record is None:
            return
        held = self.phone.show(table)[record]
        self.phone.edit(table, record, **content(self.office, table, what, held))
        if stale:
            self.phone.db.execute(
                "UPDATE outbox SET version = 1 WHERE number = (SELECT max(number) FROM outbox)"
            )

    def deletion(self, table: str, number: int) -> None:
        """Ask for a record to be deleted."""
        record = self.pick(table, number)
        if record is not None:
            self.phone.delete(table, record)

    def look_at_what_was_refused(self, *, insist: bool) -> None:
        """Send all of it once more, or let it be."""
        for refused in self.phone.refused():
            act = self.phone.insist if insist else self.phone.discard
            act(refused["number"])

    def create(self, table: str, **fields: Any) -> str:
        """Type a new record."""
        made: str = self.phone.create(table, **fields)
        self.office.ids[table].append(made)
        return made

    def pick(self, table: str, number: int) -> str | None:
        """A record that the phone shows; 0 is the latest."""
        shown = self.phone.show(table)
        known = [one for one in self.office.ids[table] if one in shown]
        return known[-1 - number % len(known)] if known else None


def content(office: Office, table: str, what: int, held: Mapping[str, Any]) -> dict[str, Any]:
    """Some fields of a table. held: the record as a phone shows it, whose mask is sent back."""
    number = office.next_number()
    choices: dict[str, list[dict[str, Any]]] = {
        "objects": [
            {"contact_name": f"Имя {number}"},
            {"contact_name": "одно и то же", "tags": ["лифт", "ключ"]},
            {"contact_phone": office.typed()},
            {"contact_phone": held.get("contact_phone"), "status": "CALLBACK"},
            {"gps_lat": 55.5, "gps_lng": 37.25},
        ],
        "units": [{"floor": number % 100}, {"unit_number": "1"}, {"attributes": {"код": [1, {}]}}],
        "customers": [
            {"notes": f"заметка {number}"},
            {"phone": office.typed()},
            {"phone": held.get("phone"), "desired_price": 499.9},
            {"full_name": "Мария", "interests": ["TV"]},
        ],
        "visits": [
            {"outcome_text": f"итог {number}"},
            {"status": "DONE", "outcome_text": "Готово"},
            {"status": "CANCELLED"},
            {"status": "IN_PROGRESS"},
        ],
    }
    return choices[table][what % len(choices[table])]
