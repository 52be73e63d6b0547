"""What happens to customers: the one room behind every door."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy

from clients import rules
from clients.models import Customer
from crm import editing
from crm.deletion import delete_record, restore_record
from crm.editing import Changes
from crm.references import References
from crm.users.models import User
from objects.services import parent_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm.errors import Sentence

REFUSALS: "Mapping[str, tuple[str, Sentence]]" = {
    "clients_customer_phone_unique": (
        "phone",
        gettext_lazy("A customer with this phone already exists."),
    ),
    "clients_customer_object_live": ("object_id", gettext_lazy("The object is deleted.")),
    "clients_customer_unit_of_object": (
        "unit_id",
        gettext_lazy("The unit belongs to another object."),
    ),
}


def visible_duplicate(phone: str | None, *, actor: User) -> UUID | None:
    """The customer who has this phone, if the actor may know of them."""
    found = Customer.objects.visible_to(actor).filter(phone=phone)
    return found.values_list("pk", flat=True).first()


def create_customer(*, actor: User, values: Changes) -> Customer:
    """Add a customer to an object in sight. Raises Invalid, Duplicate."""
    with transaction.atomic():
        parent = parent_object(values.get("object_id"), actor=actor)
        refs = References(actor)
        refs.put(parent)
        record = rules.new_customer(values, refs=refs)
        with editing.refusals(
            REFUSALS, duplicate=lambda _: visible_duplicate(record.phone, actor=actor)
        ):
            return editing.insert(record, actor=actor)


def update_customer(
    *,
    actor: User,
    record_id: UUID,
    changes: Changes,
    version: int | None = None,
    force: bool = False,
) -> Customer:
    """Edit a customer under its version. Raises NotFound, StaleRecord, Invalid, Duplicate."""
    with transaction.atomic():
        record = editing.locked(Customer, record_id, actor=actor)
        editing.compare(record, changes, version=version, force=force)
        changes = rules.customer_edit(record, changes, refs=References(actor))
        phone = changes.get("phone", record.phone)
        with editing.refusals(REFUSALS, duplicate=lambda _: visible_duplicate(phone, actor=actor)):
            return editing.apply(record, changes, actor=actor)


def delete_customer(*, actor: User, record_id: UUID) -> Customer:
    """Delete a customer softly; visits keep their reference. Raises NotFound, Forbidden."""
    return delete_record(Customer, record_id, actor=actor)


def restore_customer(*, actor: User, record_id: UUID) -> Customer:
    """Bring back a customer. Raises NotFound, Forbidden, Conflict."""
    return restore_record(Customer, record_id, actor=actor)


CUSTOMERS = editing.RecordServices(
    create_customer, update_customer, delete_customer, restore_customer
)
