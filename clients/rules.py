"""The rules of customers: what a new one or an edit must be, wherever it comes from."""

from django.utils.translation import gettext as _

from clients.models import Customer
from crm import editing
from crm.editing import Changes
from crm.errors import Invalid
from crm.references import References
from objects.models import Object, Unit
from objects.rules import keep_parent


def new_customer(values: Changes, *, refs: References) -> Customer:
    """A customer to be added to an object in sight. Raises Invalid."""
    values = editing.without_masks(None, values)
    record = editing.drafted(Customer, values)
    record.object = refs.require(Object, values.get("object_id"), field="object_id")
    check_unit(record, refs=refs)
    return record


def customer_edit(record: Customer, changes: Changes, *, refs: References) -> Changes:
    """What an edit comes to. Raises Invalid."""
    changes = editing.without_masks(record, changes)
    keep_parent(record, changes)
    draft = editing.edited(record, changes)
    if draft.unit_id != record.unit_id:
        check_unit(draft, refs=refs)
    return editing.really_changed(record, changes)


def check_unit(record: Customer, *, refs: References) -> None:
    """The customer's unit is in sight and belongs to their object. Raises Invalid."""
    unit = refs.check(Unit, record.unit_id, field="unit_id")
    if unit is not None and unit.object_id != record.object_id:
        raise Invalid({"unit_id": _("The unit belongs to another object.")})
