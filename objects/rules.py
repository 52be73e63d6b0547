"""The rules of objects and units: what a new one or an edit must be, wherever it comes from.

Nothing here writes or locks. References are looked up through `References`, so that a batch can fetch them
all at once.
"""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm import editing
from crm.editing import Changes
from crm.errors import Forbidden, Invalid
from crm.references import References
from crm.territory.models import City, District
from crm.users.models import User
from objects.models import Object, Unit


def new_object(values: Changes, *, refs: References) -> Object:
    """An object to be created in the actor's territory. City and district default to the actor's own.

    Raises Invalid, Forbidden.
    """
    actor = refs.actor
    values = editing.without_masks(None, values)
    if values.get("city_id") is None:
        values["city_id"] = actor.city_id
    if actor.is_engineer and values["city_id"] == actor.city_id:
        values.setdefault("district_id", actor.district_id)
    record = editing.drafted(
        Object, {**values, "created_by_id": actor.pk, "updated_by_id": actor.pk}
    )
    if actor.is_engineer and record.responsible_user_id not in (None, actor.pk):
        raise Forbidden(
            _("Engineers cannot make others responsible."),
            details={"fields": ["responsible_user_id"]},
        )
    check_object(record, values, refs=refs)
    return record


def object_edit(record: Object, changes: Changes, *, refs: References) -> Changes:
    """What an edit comes to: checked, and without what would not change. Raises Invalid, Forbidden."""
    changes = editing.without_masks(record, changes)
    if refs.actor.is_engineer:
        editing.refuse_fields(
            record,
            changes,
            "responsible_user_id",
            "city_id",
            "district_id",
            message=_("Engineers cannot change the responsible person, the city or the district."),
        )
    changes = editing.really_changed(record, changes)
    check_object(editing.edited(record, changes), changes, refs=refs)
    return changes


def check_object(record: Object, changes: Changes, *, refs: References) -> None:
    """The rules of an object as it would be after `changes`. Raises Invalid."""
    actor = refs.actor
    problems: dict[str, Any] = {}
    if (record.gps_lat is None) != (record.gps_lng is None):
        missing = "gps_lat" if record.gps_lat is None else "gps_lng"
        problems[missing] = _("Give both coordinates or neither.")
    if not record.city_id:
        problems["city_id"] = _("This field is required.")
    if problems:
        raise Invalid(problems)
    if {"city_id", "district_id"} & changes.keys():
        refs.check(City, record.city_id, field="city_id")
        district = refs.check(District, record.district_id, field="district_id")
        if district is not None and district.city_id != record.city_id:
            raise Invalid({"district_id": _("The district does not lie in the city.")})
        if not actor.territory.holds(city_id=record.city_id, district_id=record.district_id):
            field = "district_id" if record.city_id == actor.city_id else "city_id"
            raise Invalid({field: _("The object would lie outside your territory.")})
    if "responsible_user_id" in changes and record.responsible_user_id != actor.pk:
        refs.check(User, record.responsible_user_id, field="responsible_user_id")


def delegation(
    record: Object,
    supervisor_id: UUID,
    *,
    actor: User,
    known: dict[UUID, bool] | None = None,
) -> Changes:
    """What handing an object over comes to: to a supervisor whose territory holds it.

    An engineer hands over only what they themselves are responsible for. known: answers by city, for whoever
    hands over many to the same supervisor. Raises Invalid, Forbidden.
    """
    if actor.is_engineer and record.responsible_user_id != actor.pk:
        raise Forbidden(_("Engineers can delegate only objects that they are responsible for."))
    answers = {} if known is None else known
    if record.city_id not in answers:
        holding = User.objects.supervisors_for(record.city_id)
        answers[record.city_id] = holding.filter(pk=supervisor_id).exists()
    if not answers[record.city_id]:
        raise Invalid(
            {
                "supervisor_id": _(
                    "This is not an active supervisor whose territory holds the object."
                )
            }
        )
    return editing.really_changed(record, {"responsible_user_id": supervisor_id})


def new_unit(values: Changes, *, refs: References) -> Unit:
    """A unit to be added to an object in sight. Raises Invalid."""
    record = editing.drafted(Unit, values)
    record.object = refs.require(Object, values.get("object_id"), field="object_id")
    return record


def unit_edit(
    record: Unit,
    changes: Changes,
    *,
    refs: References,  # noqa: ARG001 - one signature for all kinds
) -> Changes:
    """What an edit comes to. Raises Invalid."""
    keep_parent(record, changes)
    return editing.really_changed(record, changes)


def keep_parent(record: Any, changes: Changes) -> None:
    """Raise Invalid when the edit would hang the record on another object."""
    if changes.get("object_id", record.object_id) != record.object_id:
        raise Invalid({"object_id": _("The object of a record cannot be changed.")})
