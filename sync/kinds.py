"""How each kind of record is made and edited by a push: by the same rules as behind the API."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clients.models import Customer
from clients.rules import customer_edit, new_customer
from clients.services import REFUSALS as CUSTOMER_REFUSALS
from crm.api.serializers import RecordSerializer
from crm.editing import Changes
from crm.errors import Sentence
from crm.records import Record
from objects.models import Object, ObjectType, Unit
from objects.rules import new_object, new_unit, object_edit, unit_edit
from objects.services import OBJECT_REFUSALS, UNIT_REFUSALS
from sync.entities import BY_NAME, Entity
from visits.models import Visit
from visits.rules import REFUSALS as VISIT_REFUSALS
from visits.rules import new_visit, times_not_yet, visit_edit


def nothing(_record: Record | None, _values: Mapping[str, Any]) -> Collection[str]:
    """No names."""
    return ()


@dataclass(frozen=True)
class Kind:
    """One table of a push.

    new: the record that values come to; edit: the changes that values come to. Both raise a caller's error.
    refusals: what the database may refuse, as a caller's error.
    defaults: values of a new record that a phone may leave out though the API asks for them.
    idle: names of the values that a record, as it would be, does not take. The API refuses them, a push
    ignores them: a phone must not become unsyncable. Gets the record (None for a new one) and the values.
    """

    entity: Entity
    new: Callable[..., Record]
    edit: Callable[..., Changes]
    refusals: Mapping[str, tuple[str, Sentence]]
    defaults: Mapping[str, Any]
    idle: Callable[..., Collection[str]] = nothing

    @property
    def table(self) -> str:
        """The table's name in items."""
        return self.entity.name

    @property
    def model(self) -> type[Record]:
        """The kind of record."""
        return self.entity.model

    @property
    def serializer(self) -> type[RecordSerializer]:
        """How the API takes and shows it."""
        return self.entity.serializer


# Parents first: what refers comes after what it refers to.
KINDS: Final[dict[str, Kind]] = {
    "objects": Kind(
        BY_NAME["objects"],
        new_object,
        object_edit,
        OBJECT_REFUSALS,
        {"type": ObjectType.MKD.value},
    ),
    "units": Kind(BY_NAME["units"], new_unit, unit_edit, UNIT_REFUSALS, {}),
    "customers": Kind(BY_NAME["customers"], new_customer, customer_edit, CUSTOMER_REFUSALS, {}),
    "visits": Kind(BY_NAME["visits"], new_visit, visit_edit, VISIT_REFUSALS, {}, times_not_yet),
}
TABLES: Final = tuple(KINDS)
TABLE_OF: Final[dict[type[Any], str]] = {
    Object: "objects",
    Unit: "units",
    Customer: "customers",
    Visit: "visits",
}
# Fields that refer to records which the same batch may bring.
LINKS: Final[dict[str, type[Record]]] = {
    "object_id": Object,
    "unit_id": Unit,
    "customer_id": Customer,
}
