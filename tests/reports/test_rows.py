"""Rows of a report, as the database and its reader have them."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from clients.models import Customer
from crm.db import reading
from crm.users.models import User
from objects.models import Object, Unit
from reports import rows
from reports.columns import ENTITIES, Column, catalogue, chosen
from tests.cast import Cast
from visits.models import Visit

MOSCOW, YEKATERINBURG = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Yekaterinburg")
MODELS: dict[str, Any] = {
    "objects": Object,
    "units": Unit,
    "customers": Customer,
    "visits": Visit,
}


def stream(
    queryset: Any, columns: Sequence[Column], user: User, **told: Any
) -> Generator[Sequence[Any]]:
    told = {"raw": False, "language": "en", "zone": MOSCOW, **told}
    return rows.stream(queryset, columns, user=user, **told)


def told_of(entity: str, user: User, keys: Sequence[str], **told: Any) -> list[dict[str, Any]]:
    """The report as a list of {key: cell}, by id."""
    queryset = MODELS[entity].objects.visible_to(user).order_by("pk")
    return [
        dict(zip(keys, row, strict=True))
        for row in stream(queryset, chosen(entity, keys), user, **told)
    ]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows at a time that a handful is many."""
    for module in (rows, reading):
        monkeypatch.setattr(module, "CHUNK", 2)


@pytest.fixture
def visit(cast: Cast) -> Visit:
    """One of everything, with everything told."""
    parent = cast.object(
        tags=["ключ", "лифт"], status="INTEREST", responsible_user=cast.ivan,
        contact_name="=1+1", contact_phone="+79991234567", gps_lat=55.75, gps_lng=37.61,
    )  # fmt: skip
    unit = cast.unit(parent, unit_number="007", attributes={"rooms": 2, "balcony": True, "n": None})
    customer = cast.customer(
        parent, unit=unit, phone="+79123456789", interests=["INTERNET", "CCTV"], satisfied=False,
        desired_price="550.50", full_name="Ёлкин Пётр",
    )  # fmt: skip
    return cast.visit(
        parent, cast.ivan, unit=unit, customer=customer, status="DONE", outcome_text="Хочет",
        scheduled_at=datetime(2026, 3, 1, 21, 30, tzinfo=UTC),
        finished_at=datetime(2026, 3, 1, 22, 30, 5, tzinfo=UTC),
    )  # fmt: skip


def test_a_visit_in_words(cast: Cast, visit: Visit) -> None:
    keys = [
        "scheduled_at", "status", "object", "city", "district", "unit", "customer",
        "customer_phone", "engineer", "interests", "next_action_due_at", "object_status",
    ]  # fmt: skip
    (row,) = told_of("visits", cast.sergei, keys)
    assert row == {
        "scheduled_at": datetime(2026, 3, 2, 0, 30),  # noqa: DTZ001 - a cell has no time zone
        "status": "Done",
        "object": visit.object.address,
        "city": "Москва",
        "district": "Центральный",
        "unit": "007",
        "customer": "Ёлкин Пётр",
        "customer_phone": "+79123456789",
        "engineer": "Иван Центров",
        "interests": None,
        "next_action_due_at": None,
        "object_status": "In work",
    }


def test_words_follow_the_language_and_moments_the_zone(cast: Cast, visit: Visit) -> None:
    keys = ["status", "scheduled_at", "object_type"]
    (row,) = told_of("visits", cast.sergei, keys, language="ru", zone=YEKATERINBURG)
    assert row == {
        "status": "Завершён",
        "scheduled_at": datetime(2026, 3, 2, 2, 30),  # noqa: DTZ001
        "object_type": "Многоквартирный дом",
    }


def test_a_customer_in_words(cast: Cast, visit: Visit) -> None:
    keys = ["interests", "satisfied", "desired_price", "gdpr_consent", "phone", "unit", "notes"]
    (row,) = told_of("customers", cast.sergei, keys)
    assert row == {
        "interests": "Internet, video surveillance",
        "satisfied": "No",
        "desired_price": Decimal("550.50"),
        "gdpr_consent": "No",
        "phone": "+79123456789",
        "unit": "007",
        "notes": None,
    }


def test_lists_and_attributes_in_words(cast: Cast, visit: Visit) -> None:
    (row,) = told_of("objects", cast.sergei, ["tags", "contact_name", "gps_lat", "visits_count"])
    assert row == {
        "tags": "ключ, лифт",
        "contact_name": "=1+1",
        "gps_lat": 55.75,
        "visits_count": 1,
    }
    (row,) = told_of("units", cast.sergei, ["unit_number", "attributes", "floor"])
    assert row["attributes"] in {"rooms: 2; balcony: yes", "balcony: yes; rooms: 2"}
    assert (row["unit_number"], row["floor"]) == ("007", None)


def test_raw_values(cast: Cast, visit: Visit) -> None:
    (row,) = told_of("visits", cast.sergei, ["id", "status", "finished_at", "object"], raw=True)
    assert row == {
        "id": str(visit.pk),
        "status": "DONE",
        "finished_at": "2026-03-01T22:30:05Z",
        "object": visit.object.address,
    }
    (row,) = told_of("customers", cast.sergei, ["interests", "satisfied"], raw=True)
    assert row == {"interests": '["INTERNET", "CCTV"]', "satisfied": False}
    (row,) = told_of("objects", cast.sergei, ["tags"], raw=True)
    assert row == {"tags": '["ключ", "лифт"]'}


@pytest.mark.parametrize("raw", [False, True])
def test_phones_are_masked_for_whom_they_are(cast: Cast, visit: Visit, *, raw: bool) -> None:
    """Engineers have no reports; should that ever change, this holds."""
    told = {
        entity: [*stream(MODELS[entity].objects.visible_to(cast.ivan), catalogue(entity), cast.ivan, raw=raw)]
        for entity in ENTITIES
    }  # fmt: skip
    assert all(len(found) == 1 for found in told.values())
    assert "9123456789" not in str(told)
    assert "9991234567" not in str(told)
    assert "+7 (***) ***-**89" in str(told["visits"])
    assert "+7 (***) ***-**89" in str(told["customers"])
    assert "+7 (***) ***-**67" in str(told["objects"])


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("raw", [False, True])
def test_every_column_can_be_read_in_one_statement(
    cast: Cast, visit: Visit, entity: str, *, raw: bool
) -> None:
    cast.customer(visit.object)
    cast.visit(visit.object, cast.ivan)
    with CaptureQueriesContext(connection) as asked:
        found = list(
            stream(MODELS[entity].objects.visible_to(cast.anna), catalogue(entity), cast.anna, raw=raw)
        )  # fmt: skip
    assert found
    statements = [query["sql"] for query in asked.captured_queries if " FROM " in query["sql"]]
    assert len(statements) == 1


def test_deleted_units_and_customers_are_absent_as_in_the_list(cast: Cast, visit: Visit) -> None:
    for record in (visit.unit, visit.customer):
        type(record)._base_manager.filter(pk=record.pk).update(deleted_at=datetime.now(UTC))
    (row,) = told_of("visits", cast.sergei, ["unit", "customer", "customer_phone", "unit_id"])
    assert (row["unit"], row["customer"], row["customer_phone"]) == (None, None, None)
    assert row["unit_id"] == str(visit.unit_id)
    listed = cast.api(cast.sergei).get("/api/v1/visits").json()["items"][0]
    assert (listed["unit"], listed["customer"]) == (None, None)


def test_order_and_rows_are_the_querysets(cast: Cast) -> None:
    made = [cast.object(address=f"ул. {letter}, 1") for letter in "ВАБ"]
    cast.object(address="ул. Г, 1", city=cast.kazan)
    found = stream(
        Object.objects.visible_to(cast.sergei).order_by("-address"),
        chosen("objects", ["id", "address"]),
        cast.sergei,
    )
    assert [row[0] for row in found] == [str(made[place].pk) for place in (0, 2, 1)]


@pytest.mark.usefixtures("small_chunks")
def test_more_rows_than_a_chunk(cast: Cast) -> None:
    made = [cast.object().address for _ in range(10)]
    found = stream(Object.objects.order_by("pk"), chosen("objects", ["address"]), cast.anna)
    assert [row[0] for row in found] == made


def test_no_rows(cast: Cast) -> None:
    assert list(stream(Object.objects.all(), catalogue("objects"), cast.anna)) == []
    assert list(stream(Object.objects.none(), catalogue("objects"), cast.anna)) == []


def elsewhere(work: Callable[[], Any]) -> Any:
    """What the work gives on a connection of its own, while this one is busy reading."""

    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=30)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.django_db(transaction=True)
def test_of_one_moment_and_without_holding_writers_up(cast: Cast) -> None:
    """What others write while a report is read is not in it, and they do not wait for it."""
    made = [cast.object() for _ in range(10)]
    reader = stream(Object.objects.order_by("pk"), chosen("objects", ["address"]), cast.anna)
    found = [next(reader)]

    def write() -> None:
        Object.objects.filter(pk=made[-1].pk).update(address="ул. Новая, 1")
        cast.object()

    elsewhere(write)
    found += reader
    assert [row[0] for row in found] == [one.address for one in made]
    assert Object.objects.get(pk=made[-1].pk).address == "ул. Новая, 1"


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.django_db(transaction=True)
def test_leaving_early_lets_the_connection_go(cast: Cast) -> None:
    made = [cast.object() for _ in range(3)]
    reader = stream(Object.objects.order_by("pk"), chosen("objects", ["address"]), cast.anna)
    next(reader)
    reader.close()
    assert not connection.in_atomic_block
    made[0].contact_name = "Пётр"
    made[0].save()


@pytest.mark.postgresql_only
@pytest.mark.usefixtures("small_chunks")
@pytest.mark.django_db(transaction=True)
def test_reading_takes_no_transaction_id(cast: Cast) -> None:
    """With one it would hold the change feed back for as long as it lasts."""
    for _ in range(3):
        cast.object()
    reader = stream(Object.objects.order_by("pk"), chosen("objects", ["address"]), cast.anna)
    next(reader)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_current_xact_id_if_assigned(), current_setting('transaction_read_only')"
        )
        assert cursor.fetchone() == (None, "on")
    reader.close()
