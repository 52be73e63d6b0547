"""The reference client against a real server: offline edits, lost answers, conflicts, starting over."""

import socket
import urllib.error
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clients.models import Customer
from objects.models import Object
from sync.refused import RefusedItem
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db(transaction=True)

PATH = Path(__file__).resolve().parents[2] / "docs" / "examples" / "phone.py"


@pytest.fixture
def phone_of(live_server: Any, tmp_path: Path) -> Callable[[Any], Any]:
    """A new phone of a person, logged in."""
    spec = spec_from_file_location("phone", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    made: list[int] = []

    def make(user: Any) -> Any:
        made.append(1)
        phone = module.Phone(str(tmp_path / f"{len(made)}.sqlite3"), live_server.url)
        phone.log_in(user.email, PASSWORD)
        return phone

    return make


def test_a_day_in_a_cellar(cast: Cast, phone_of: Callable[[Any], Any]) -> None:
    known = cast.object()
    phone = phone_of(cast.ivan)
    phone.sync()
    assert phone.show("objects").keys() == {str(known.pk)}
    house = phone.create("objects", address="ул. Ёлочная, д. 5")
    flat = phone.create("units", object_id=house, unit_number="7")
    person = phone.create("customers", object_id=house, unit_id=flat, phone="8 999 123-45-67")
    phone.edit("objects", house, status="INTEREST")
    phone.edit("customers", person, full_name="Мария")
    phone.edit("objects", str(known.pk), contact_name="Анна")
    assert phone.show("objects")[house]["status"] == "INTEREST"
    assert Object.objects.count() == 1
    phone.sync()
    assert phone.refused() == []
    assert Customer.objects.get().full_name == "Мария"
    assert phone.show("objects")[house]["version"] == 2
    assert phone.show("customers")[person]["phone"] == "+7 (***) ***-**67"
    # What the office does comes along, and goes.
    Object.objects.filter(pk=known.pk).update(district=cast.north)
    phone.sync()
    assert phone.show("objects").keys() == {house}


def test_lost_answers(
    cast: Cast, phone_of: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = phone_of(cast.ivan)
    real, calls = phone.request, []

    def lossy(*arguments: Any) -> Any:
        answer = real(*arguments)
        calls.append(1)
        if len(calls) % 2:
            raise urllib.error.URLError("the lift")
        return answer

    monkeypatch.setattr(phone, "request", lossy)
    house = phone.create("objects", address="ул. Ёлочная, д. 5")
    for n in range(3):
        phone.edit("objects", house, contact_name=f"имя {n}")
        for attempt in range(9):
            try:
                phone.sync()
                break
            except OSError:
                # Typed while the answer is on its way; or after it, before the next pull.
                if attempt < 3:
                    phone.edit("objects", house, tags=[str(n), str(attempt)])
    record = Object.objects.get()
    assert record.contact_name == "имя 2"
    assert phone.refused() == []
    assert phone.show("objects")[house]["version"] == record.version
    assert phone.show("objects")[house]["tags"] == record.tags


def test_a_conflict_waits_for_a_person(cast: Cast, phone_of: Callable[[Any], Any]) -> None:
    house = cast.object(contact_name="начало")
    first, second = phone_of(cast.ivan), phone_of(cast.sergei)
    for phone in (first, second):
        phone.sync()
    for phone, name in ((first, "Анна"), (second, "Мария")):
        phone.edit("objects", str(house.pk), contact_name=name)
    second.edit("objects", str(house.pk), status="DONE")
    first.sync()
    second.sync()
    [refused] = second.refused()
    assert refused["error_code"] == "CONFLICT"
    assert refused["diff"]["diff"]["contact_name"] == {"server": "Анна", "client": "Мария"}
    assert second.show("objects")[str(house.pk)]["status"] == "DONE"
    assert RefusedItem.objects.get().device == second.device
    second.insist(refused["number"])
    second.sync()
    assert second.refused() == []
    house.refresh_from_db()
    assert (house.contact_name, house.status) == ("Мария", "DONE")


def test_starting_over_keeps_the_outbox(cast: Cast, phone_of: Callable[[Any], Any]) -> None:
    mine, far = cast.object(), cast.object(district=cast.north)
    phone = phone_of(cast.ivan)
    phone.sync()
    typed = phone.create("objects", address="ул. Ёлочная, д. 5")
    # Another person's cursor will not do: the server answers 410.
    other = phone_of(cast.pyotr)
    other.sync()
    phone.remember("cursor", other.state("cursor"))
    phone.pull()
    assert phone.life() == 2
    assert phone.show("objects").keys() == {str(mine.pk), typed}
    phone.sync()
    assert phone.show("objects").keys() == {str(mine.pk), typed}
    assert str(far.pk) not in phone.show("objects")
    assert Object.objects.count() == 3


HALVES = {
    "in the body": b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"items": [',
    "in a chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{"items": [',
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-Len",
    "in the first line": b"HTT",
    "before it began": b"",
    "in a refusal": b"HTTP/1.1 410 Gone\r\nContent-Length: 500\r\n\r\n{",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_half_an_answer_is_no_answer(
    cast: Cast, phone_of: Callable[[Any], Any], half: bytes
) -> None:
    phone = phone_of(cast.ivan)
    phone.create("objects", address="ул. Ёлочная, д. 5")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_by_half() -> None:
            for _ in range(2):
                connection, _address = server.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(half)

        Thread(target=answer_by_half, daemon=True).start()
        there, phone.api = phone.api, f"http://127.0.0.1:{server.getsockname()[1]}"
        for step in (phone.push, phone.pull):
            with pytest.raises(OSError):  # noqa: PT011 - what the client promises
                step()
    phone.api = there
    phone.sync()
    assert Object.objects.count() == 1
