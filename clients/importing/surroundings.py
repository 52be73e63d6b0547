"""What a batch of rows meets in the database, fetched in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db.models import Model, Q

from clients.importing.drafts import CustomerDraft, same_name
from clients.models import Customer
from crm.editing import lock_rows
from crm.references import References
from crm.users.models import User
from objects.models import Object, Unit


@dataclass(frozen=True, slots=True)
class Placed:
    """A row whose building is known, and the flat that it names."""

    draft: CustomerDraft
    object: Object
    unit_number: str | None


def in_sight(model: type[Model], actor: User | None) -> Any:
    """The live rows that an import may match: a command matches all, a person what they see."""
    rows: Any = model._default_manager.all()
    return rows.live() if actor is None else rows.visible_to(actor)


def buildings(ids: Iterable[UUID], *, actor: User | None, lock: bool) -> dict[UUID, Object]:
    """The objects in sight. Locked, if asked, in id order: a customer's every change begins there."""
    wanted = list(ids)
    if lock:
        lock_rows(Object, wanted)
    return {row.pk: row for row in in_sight(Object, actor).filter(pk__in=wanted)}


class Fetched(References):
    """References to what was fetched in sight beforehand, and to nothing else."""

    def __init__(self, actor: User | None) -> None:
        # The rules of customers and units ask what may be referred to, never who refers.
        super().__init__(cast("User", actor))

    def find(self, model: type[Any], record_id: UUID | None) -> Any:
        """The row, or None."""
        return self._found.get(model, {}).get(record_id) if record_id is not None else None


class Surroundings:
    """Flats and customers around a batch of rows."""

    def __init__(self, rows: Sequence[Placed], *, actor: User | None) -> None:
        self._actor = actor
        self.refs = Fetched(actor)
        self._units: dict[tuple[UUID, str], Unit] = {}
        self._named: dict[tuple[UUID, UUID | None, str], set[UUID]] = defaultdict(set)
        self._customers: dict[UUID, Customer] = {}
        for row in rows:
            self.refs.put(row.object)
        self._fetch_units(rows)
        self._fetch_phones({row.draft.phone for row in rows if row.draft.phone})
        self._fetch_names(rows)

    def unit(self, row: Placed) -> Unit | None:
        """The flat that the row names, if it is there; case does not matter unless it must."""
        number = row.unit_number or ""
        exact = self._units.get((row.object.pk, number))
        return exact or self._units.get((row.object.pk, number.casefold()))

    def add(self, unit: Unit) -> None:
        """Take a new flat as there."""
        self._units[unit.object_id, unit.unit_number] = unit
        self._units.setdefault((unit.object_id, unit.unit_number.casefold()), unit)
        self.refs.put(unit)

    def holder(self, phone: str | None) -> Customer | None:
        """The customer in sight who has this phone."""
        return self._by_phone.get(phone) if phone else None

    def taken(self, phone: str | None) -> bool:
        """Whether a customer out of sight has this phone."""
        return phone in self._taken

    def namesakes(self, row: Placed, unit: Unit | None) -> list[Customer]:
        """Customers of the row's name in its flat; in the whole building when it names none."""
        if row.unit_number is not None and unit is None:
            return []
        key = (row.object.pk, unit.pk if unit else None, row.draft.name)
        return [self._customers[pk] for pk in sorted(self._named.get(key, ()))]

    def _fetch_units(self, rows: Sequence[Placed]) -> None:
        numbers = {row.unit_number for row in rows if row.unit_number}
        wanted = {form for n in numbers for form in (n, n.upper(), n.lower())}
        found = in_sight(Unit, self._actor).filter(
            object_id__in={row.object.pk for row in rows if row.unit_number},
            unit_number__in=wanted,
        )
        for unit in found.order_by("pk") if wanted else ():
            unit.object = self.refs.require(Object, unit.object_id, field="object_id")
            self.add(unit)

    def _fetch_phones(self, phones: set[str]) -> None:
        rows = in_sight(Customer, self._actor).filter(phone__in=phones)
        found = list(rows.select_related("object", "unit")) if phones else []
        self._by_phone = {customer.phone: customer for customer in found}
        self._remember(found)
        others = phones - self._by_phone.keys()
        self._taken = (
            set(Customer.objects.live().filter(phone__in=others).values_list("phone", flat=True))
            if others
            else set()
        )

    def _fetch_names(self, rows: Sequence[Placed]) -> None:
        asking = [row for row in rows if row.draft.name and not self.holder(row.draft.phone)]
        units = [unit.pk for row in asking if (unit := self.unit(row))]
        whole = {row.object.pk for row in asking if row.unit_number is None}
        if not units and not whole:
            return
        names = {row.draft.name for row in asking}
        around = in_sight(Customer, self._actor).filter(
            Q(unit_id__in=units) | Q(object_id__in=whole)
        )
        found: list[UUID] = []
        # A building may have thousands: only those of these names are fetched whole.
        for pk, object_id, unit_id, full_name in around.values_list(
            "pk", "object_id", "unit_id", "full_name"
        ).iterator():
            name = same_name(full_name or "")
            if name in names:
                found.append(pk)
                for place in {unit_id, None}:
                    self._named[object_id, place, name].add(pk)
        whole_rows = in_sight(Customer, self._actor).filter(pk__in=found)
        self._remember(whole_rows.select_related("object", "unit"))

    def _remember(self, customers: Iterable[Customer]) -> None:
        for customer in customers:
            self._customers[customer.pk] = customer
            if customer.unit is not None and not customer.unit.is_deleted:
                self.refs.put(customer.unit)
