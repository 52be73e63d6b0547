"""Stores generated houses in sets: a batch of houses is four inserts, whatever the engine calls them.

The rows go through the tables' triggers like any others, so versions, counters, search text and the ledger of
engineers' sight come out as if each had been typed in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connections, models, reset_queries, transaction

from clients.models import Customer
from crm.changes import report
from crm.db.bulk import copy_rows, refresh_statistics
from crm.records import Record
from crm.territory.dictionary_data import FIXED_MOMENT_MS, uuid7_bits
from objects.models import Object, ObjectAccess, Unit
from visits.demo.draw import PHONE_CODES
from visits.demo.generator import Town
from visits.demo.rows import CustomerRow, House, ObjectRow, UnitRow, VisitRow
from visits.demo.telling import creations
from visits.models import Visit

# Houses in one transaction: enough for triggers that work per statement, few enough to hold in 30 MB.
BATCH = 2_000
# Told, each row is also held as it was stored and as its entry: a smaller batch takes the same memory.
TOLD_SHARE = 4
# From this many new houses on, the planner is told each time that their number has doubled: going by the
# statistics of small tables, the triggers that count visits would read all of them for each batch.
WORTH_ANALYZING = 2_000


@dataclass(slots=True)
class Written:
    """How many rows of each kind are new, and how many houses were there already."""

    objects: int = 0
    units: int = 0
    customers: int = 0
    visits: int = 0
    already_there: int = 0


def write_town(
    town: Town,
    count: int,
    *,
    using: str = "default",
    on_progress: Callable[[int], object] | None = None,
    told: bool = True,
) -> Written:
    """Store the first `count` houses of the town, batch by batch, each in a transaction of its own.

    Houses that exist (deleted ones too) are left alone with all that hangs on them, so an interrupted run
    can be repeated. A phone that some other customer has by now is left out. `on_progress` gets the number
    of houses that each batch dealt with. `told`: report the rows to the change port, once a batch; only a
    load test may go without.
    """
    written = Written()
    analyze_at = WORTH_ANALYZING
    phones_may_clash = _demo_phones().using(using).exists()
    batch = max(1, BATCH // TOLD_SHARE) if told else BATCH
    for start in range(0, count, batch):
        end = min(start + batch, count)
        with transaction.atomic(using=using):
            present = _present(start, end, using)
            houses = [
                house for house in town.houses(end, start=start) if house.object.id not in present
            ]
            written.already_there += end - start - len(houses)
            if houses:
                _store(houses, written, using, check_phones=phones_may_clash)
                if told:
                    report(list(creations(*_ids(start, end), but=present)), actor=None)
        # With DEBUG, Django keeps the text of each statement: a batch's entries are megabytes.
        reset_queries()
        if written.objects >= analyze_at:
            _analyze(using)
            analyze_at = written.objects * 2
        if on_progress is not None:
            on_progress(end - start)
    if written.objects >= WORTH_ANALYZING:
        _analyze(using)
    return written


def _analyze(using: str) -> None:
    tables = [model._meta.db_table for model in (Object, Unit, Customer, Visit, ObjectAccess)]
    refresh_statistics(connections[using], tables)


def _present(start: int, end: int, using: str) -> set[str]:
    """Which houses with numbers from start below end exist: their ids lie in one range of the primary key."""
    first, last = _ids(start, end)
    found = Object._base_manager.using(using).filter(pk__gte=first, pk__lt=last)
    return {pk.hex for pk in found.values_list("pk", flat=True)}


def _ids(start: int, end: int) -> tuple[UUID, UUID]:
    """Where the ids of the houses with numbers from start below end begin and end, in every town."""
    first, last = (UUID(int=uuid7_bits(FIXED_MOMENT_MS + number, 0)) for number in (start, end))
    return first, last


def _demo_phones() -> "models.QuerySet[Customer]":
    """Live customers with a number from the demo's codes."""
    return Customer.objects.live().filter(
        phone__gte=f"+7{PHONE_CODES[0]}", phone__lt=f"+7{PHONE_CODES[-1] + 1}"
    )


def _store(houses: list[House], written: Written, using: str, *, check_phones: bool) -> None:
    customers = [customer for house in houses for customer in house.customers]
    if check_phones:
        customers = _without_taken_phones(customers, using)
    units = [unit for house in houses for unit in house.units]
    visits = [visit for house in houses for visit in house.visits]
    _insert(Object, ObjectRow, [house.object for house in houses], using)
    _insert(Unit, UnitRow, units, using)
    _insert(Customer, CustomerRow, customers, using)
    _insert(Visit, VisitRow, visits, using)
    written.objects += len(houses)
    written.units += len(units)
    written.customers += len(customers)
    written.visits += len(visits)


def _without_taken_phones(customers: list[CustomerRow], using: str) -> list[CustomerRow]:
    phones = [customer.phone for customer in customers if customer.phone]
    taken = set(
        Customer.objects.using(using)
        .live()
        .filter(phone__in=phones)
        .values_list("phone", flat=True)
    )
    return [row._replace(phone=None) if row.phone in taken else row for row in customers]


def _insert(
    model: type[Record],
    row_type: type[tuple[object, ...]],
    rows: Iterable[tuple[object, ...]],
    using: str,
) -> None:
    copy_rows(connections[using], model._meta.db_table, row_type._fields, rows)  # type: ignore[attr-defined]
