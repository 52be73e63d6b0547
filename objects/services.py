"""What happens to objects and units: the one room behind every door."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import editing
from crm.deletion import delete_record, restore_record
from crm.editing import Changes
from crm.errors import Invalid, NotFound
from crm.references import References
from crm.users.models import User
from objects import rules
from objects.models import Object, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm.errors import Sentence

OBJECT_REFUSALS: "Mapping[str, tuple[str, Sentence]]" = {
    "objects_object_address_too_short": ("address", gettext_lazy("The address is too short.")),
    "objects_object_district_in_city": (
        "district_id",
        gettext_lazy("The district does not lie in the city."),
    ),
    "objects_object_responsible_active": (
        "responsible_user_id",
        gettext_lazy("This person is not active."),
    ),
}
UNIT_REFUSALS: "Mapping[str, tuple[str, Sentence]]" = {
    "objects_unit_number_unique": (
        "unit_number",
        gettext_lazy("The object already has a unit with this number."),
    ),
    "objects_unit_object_live": ("object_id", gettext_lazy("The object is deleted.")),
}


# --- objects --------------------------------------------------------------------------------------


def create_object(*, actor: User, values: Changes) -> Object:
    """Create an object in the actor's territory.

    City and district default to the actor's own. Raises Invalid, Forbidden.
    """
    with transaction.atomic(), editing.refusals(OBJECT_REFUSALS):
        record = rules.new_object(values, refs=References(actor))
        return editing.insert(record, actor=actor)


def update_object(
    *,
    actor: User,
    record_id: UUID,
    changes: Changes,
    version: int | None = None,
    force: bool = False,
) -> Object:
    """Edit an object under its version. Raises NotFound, StaleRecord, Invalid, Forbidden."""
    with transaction.atomic(), editing.refusals(OBJECT_REFUSALS):
        record = editing.locked(Object, record_id, actor=actor)
        editing.compare(record, changes, version=version, force=force)
        changes = rules.object_edit(record, changes, refs=References(actor))
        return editing.apply(record, changes, actor=actor)


def delegate_object(*, actor: User, record_id: UUID, supervisor_id: UUID) -> Object:
    """Make a supervisor responsible whose territory holds the object.

    An engineer hands over only what they themselves are responsible for.
    """
    with transaction.atomic(), editing.refusals(OBJECT_REFUSALS):
        record = editing.locked(Object, record_id, actor=actor)
        changes = rules.delegation(record, supervisor_id, actor=actor)
        return editing.apply(record, changes, actor=actor)


def delete_object(*, actor: User, record_id: UUID) -> Object:
    """Delete an object softly, with its units, customers and visits. Raises NotFound, Forbidden."""
    return delete_record(Object, record_id, actor=actor)


def restore_object(*, actor: User, record_id: UUID) -> Object:
    """Bring back an object and exactly what went with it. Raises NotFound, Forbidden, Conflict."""
    return restore_record(Object, record_id, actor=actor)


# --- units ----------------------------------------------------------------------------------------


def duplicate_unit(object_id: UUID, unit_number: str) -> UUID | None:
    """The unit that has this number in the object already."""
    found = Unit.objects.live().filter(object_id=object_id, unit_number=unit_number)
    return found.values_list("pk", flat=True).first()


def create_unit(*, actor: User, values: Changes) -> Unit:
    """Add a unit to an object in sight. Raises Invalid, Duplicate."""
    with transaction.atomic():
        parent = parent_object(values.get("object_id"), actor=actor)
        refs = References(actor)
        refs.put(parent)
        record = rules.new_unit(values, refs=refs)
        with editing.refusals(
            UNIT_REFUSALS, duplicate=lambda _: duplicate_unit(parent.pk, record.unit_number)
        ):
            return editing.insert(record, actor=actor)


def update_unit(
    *,
    actor: User,
    record_id: UUID,
    changes: Changes,
    version: int | None = None,
    force: bool = False,
) -> Unit:
    """Edit a unit under its version. Raises NotFound, StaleRecord, Invalid, Duplicate."""
    with transaction.atomic():
        record = editing.locked(Unit, record_id, actor=actor)
        editing.compare(record, changes, version=version, force=force)
        changes = rules.unit_edit(record, changes, refs=References(actor))
        number = changes.get("unit_number", record.unit_number)
        with editing.refusals(
            UNIT_REFUSALS, duplicate=lambda _: duplicate_unit(record.object_id, number)
        ):
            return editing.apply(record, changes, actor=actor)


def delete_unit(*, actor: User, record_id: UUID) -> Unit:
    """Delete a unit softly; visits and customers keep their reference. Raises NotFound, Forbidden."""
    return delete_record(Unit, record_id, actor=actor)


def restore_unit(*, actor: User, record_id: UUID) -> Unit:
    """Bring back a unit. Raises NotFound, Forbidden, Conflict."""
    return restore_record(Unit, record_id, actor=actor)


# --- what hangs on an object ----------------------------------------------------------------------


def parent_object(object_id: UUID | None, *, actor: User) -> Object:
    """The object that something new hangs on, locked so that it cannot be deleted meanwhile.

    Raises Invalid when it is absent, deleted or out of sight.
    """
    if object_id is None:
        raise Invalid({"object_id": _("This field is required.")})
    try:
        return editing.locked(Object, object_id, actor=actor)
    except NotFound:
        raise Invalid({"object_id": _("There is no such record, or you cannot see it.")}) from None


OBJECTS = editing.RecordServices(create_object, update_object, delete_object, restore_object)
UNITS = editing.RecordServices(create_unit, update_unit, delete_unit, restore_unit)
