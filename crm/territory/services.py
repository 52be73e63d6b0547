"""What happens to the dictionaries of cities and districts. Administrators only, except for commands."""

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import editing
from crm.changes import Action, Change, report, snapshot
from crm.editing import Changes
from crm.errors import Conflict, Forbidden, Invalid, NotFound, Sentence
from crm.folding import normalise_text, query_words
from crm.records import Record
from crm.territory.models import City, District, validate_time_zone

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from crm.users.models import User

P = TypeVar("P", City, District)

CITY_TAKEN = ("name", gettext_lazy("There is a city with this name already."))
DISTRICT_TAKEN = ("name", gettext_lazy("The city already has a district with this name."))
REFUSALS: dict[type, Mapping[str, tuple[str, Sentence]]] = {
    City: {"territory_city_name_key": CITY_TAKEN, "name": CITY_TAKEN},
    District: {"territory_district_city_name_unique": DISTRICT_TAKEN},
}


def named(places: "QuerySet[P]", query: str) -> "QuerySet[P]":
    """The places of whose name each word of the query begins a word, as in every other list.

    A dictionary is short: its names are read and folded here.
    """
    words = query_words(query)
    if not words:
        return places
    fitting = [
        pk
        for pk, name in places.order_by().values_list("pk", "name")
        if all(f" {word}" in normalise_text(name) for word in words)
    ]
    return places.filter(pk__in=fitting)


def create_place(model: type[P], *, actor: "User | None", values: Changes) -> P:
    """Add a city or a district. Raises Forbidden, Invalid, Duplicate."""
    must_administer(actor)
    with transaction.atomic():
        place = model(**values)
        check_place(place)
        with editing.refusals(REFUSALS[model], duplicate=lambda _: namesake(place)):
            place.save(force_insert=True)
        place.refresh_from_db()
        report([change_of(Action.CREATE, place, after=snapshot(place))], actor=actor)
        return place


def update_place(model: type[P], *, actor: "User | None", place_id: UUID, changes: Changes) -> P:
    """Edit a city or a district. Raises Forbidden, NotFound, Invalid, Duplicate; Conflict as `check_move`."""
    must_administer(actor)
    with transaction.atomic():
        if "name" in changes:
            lock_what_shows_the_name(model, place_id)
        place = locked(model, place_id)
        changes = editing.really_changed(place, changes)
        if not changes:
            return place
        before = snapshot(place)
        if "city_id" in changes:
            check_move(place)
        for name, value in changes.items():
            setattr(place, name, value)
        check_place(place)
        with editing.refusals(REFUSALS[model], duplicate=lambda _: namesake(place)):
            model.objects.filter(pk=place.pk).update(**changes)
        place.refresh_from_db()
        report([change_of(Action.UPDATE, place, before=before, after=snapshot(place))], actor=actor)
        return place


def delete_place(model: type[P], *, actor: "User | None", place_id: UUID) -> None:
    """Delete a city or a district that nothing refers to. Raises Forbidden, NotFound, Conflict."""
    must_administer(actor)
    try:
        with transaction.atomic():
            place = locked(model, place_id)
            refuse_in_use(place, _("It is still in use and cannot be deleted."))
            report([change_of(Action.DELETE, place, before=snapshot(place))], actor=actor)
            place.delete()
    except IntegrityError as error:
        # Somebody began to use it between our look and the end of the transaction.
        raise Conflict(_("It is still in use and cannot be deleted.")) from error


def must_administer(actor: "User | None") -> None:
    """Raise Forbidden for all but administrators and commands."""
    if actor is not None and not actor.is_admin:
        raise Forbidden(_("Only administrators edit the dictionaries."))


def locked(model: type[P], place_id: UUID) -> P:
    """The row, locked until the transaction ends. Raises NotFound."""
    place = model.objects.select_for_update().filter(pk=place_id).first()
    if place is None:
        raise NotFound
    return place


def lock_what_shows_the_name(model: type[P], place_id: UUID) -> None:
    """Lock the records that are found by the place's name, in id order, before the place itself.

    A name is unique, so its change locks the place against every reference to it, and a trigger then writes
    the records. Whoever writes a record checks its reference at the end: with the place locked first the two
    would wait for each other.
    """
    for relation in model._meta.related_objects:
        if issubclass(relation.related_model, Record):
            rows = relation.related_model._base_manager.filter(**{relation.field.name: place_id})
            locking = rows.order_by("pk").select_for_update(no_key=True).values_list("pk")
            # A big city has more of them than memory should hold.
            deque(locking.iterator(), maxlen=0)


def check_place(place: City | District) -> None:
    """The rules of a place as it would be. Raises Invalid."""
    if isinstance(place, District):
        editing.reference(City.objects.all(), place.city_id, field="city_id")
        return
    try:
        validate_time_zone(place.time_zone)
    except ValidationError as error:
        raise Invalid({"time_zone": error.messages}) from error


def check_move(place: City | District) -> None:
    """A district takes nobody along to another city. Raises Conflict while it is in use."""
    refuse_in_use(place, _("The district is in use: it cannot move to another city."))


def refuse_in_use(place: City | District, sentence: str) -> None:
    """Raise Conflict, naming what refers to the place; deleted records count, they can be restored."""
    users_of = [
        str(relation.related_model._meta.verbose_name_plural)
        for relation in place._meta.related_objects
        if relation.related_model._base_manager.filter(**{relation.field.name: place.pk}).exists()
    ]
    if users_of:
        raise Conflict(f"{sentence} ({', '.join(users_of)})", details={"in_use_by": users_of})


def namesake(place: City | District) -> UUID | None:
    """The place that has the name already."""
    found: City | District | None
    if isinstance(place, District):
        found = District.objects.filter(name=place.name, city_id=place.city_id).first()
    else:
        found = City.objects.filter(name=place.name).first()
    return None if found is None else found.pk


def change_of(
    action: Action,
    place: City | District,
    *,
    before: Changes | None = None,
    after: Changes | None = None,
) -> Change:
    """The report of a place's change, under its city."""
    return Change(
        action=action,
        entity_type=editing.entity_of(place),
        entity_id=place.pk,
        before=before,
        after=after,
        city_id=place.pk if isinstance(place, City) else place.city_id,
    )
