"""Which customer a row is about, and what it comes to, by the rules that every door goes by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from clients import rules
from clients.importing.surroundings import Placed, Surroundings
from clients.models import Customer
from clients.services import REFUSALS
from crm import editing
from crm.editing import Changes
from crm.errors import Forbidden, Invalid
from crm.importing.basis import Basis
from objects import rules as objects_rules
from objects.models import Unit


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write. `before` is None for a new customer; `changes` is empty when nothing differs.

    unit: a flat to be created first.
    """

    record: Customer
    before: Customer | None
    changes: Mapping[str, Any]
    unit: Unit | None = None


def decide(row: Placed, around: Surroundings, *, basis: Basis | None) -> Decision:
    """Raises ValueError with sentences for a person: what the rules refuse, whom nobody can tell apart."""
    try:
        return _decided(row, around, basis)
    except Invalid as error:
        said = [str(each) for sentences in error.fields.values() for each in sentences]
        raise ValueError(*said) from error
    except Forbidden as error:
        raise ValueError(str(error.message)) from error


def _decided(row: Placed, around: Surroundings, basis: Basis | None) -> Decision:
    unit, new_unit = around.unit(row), None
    record = matching(row, around, unit)
    if row.unit_number is not None and unit is None:
        unit = new_unit = objects_rules.new_unit(
            {"object_id": row.object.pk, "unit_number": row.unit_number}, refs=around.refs
        )
        around.refs.put(new_unit)
    given: Changes = dict(row.draft.given) | {"object_id": row.object.pk}
    if unit is not None:
        given["unit_id"] = unit.pk
    decision = (
        _new(row, given, around, basis)
        if record is None
        else _edit(row, record, given, around, basis)
    )
    if new_unit is not None:
        around.add(new_unit)
    return replace(decision, unit=new_unit)


def _new(row: Placed, given: Changes, around: Surroundings, basis: Basis | None) -> Decision:
    if basis is not None:
        basis.refuse_new(row.draft.row.line)
    return Decision(rules.new_customer(given, refs=around.refs), None, given)


def _edit(
    row: Placed, record: Customer, given: Changes, around: Surroundings, basis: Basis | None
) -> Decision:
    if "interests" in given and set(given["interests"]) == set(record.interests):
        given["interests"] = record.interests
    changes = rules.customer_edit(record, given, refs=around.refs)
    if basis is not None:
        basis.refuse_changed(row.draft.row.line, record, changes)
    draft = editing.edited(record, changes)
    draft.object = row.object
    return Decision(draft, record, changes)


def matching(row: Placed, around: Surroundings, unit: Unit | None) -> Customer | None:
    """The customer that the row is about; None for a new one. Raises ValueError.

    The phone tells, wherever it is known. A phone that nobody has belongs to the namesake in the flat who
    has none yet, else to somebody new. Without a phone the name in the flat tells.
    """
    phone = row.draft.phone
    if around.taken(phone):
        raise ValueError(str(REFUSALS["clients_customer_phone_unique"][1]))
    holder = around.holder(phone)
    if holder is not None:
        if holder.object_id != row.object.pk:
            raise ValueError(
                _("The customer with this phone belongs to another object: %(address)s.")
                % {"address": holder.object.address}
            )
        return holder
    if not row.draft.name:
        return None
    found = around.namesakes(row, unit)
    if phone:
        found = [customer for customer in found if not customer.phone]
    if len(found) > 1:
        raise ValueError(
            _(
                "Several customers there have this name: give the phone, or the unit, to tell them apart."
            )
        )
    return found[0] if found else None
