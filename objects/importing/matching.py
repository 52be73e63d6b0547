"""What a row changes about an object, and whether whoever imports it may."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crm.masking import UNCHANGED, MaskedValue, is_masked, mask_phone, unmask_input
from crm.territory.models import City
from crm.territory.sight import Territory
from crm.users.models import User
from objects.importing.address_index import AddressIndex
from objects.importing.addresses import address_key
from objects.importing.drafts import Draft
from objects.models import Object, ObjectType

# What a matching row may change. The address is what it matched by: a spelling that somebody chose
# on the screen stands. The city is the same by definition.
UPDATABLE = (
    "district_id", "type", "status", "gps_lat", "gps_lng", "contact_name", "contact_phone", "tags",
)  # fmt: skip
_READ_AT_ONCE = 2000


def visible_objects(actor: User | None) -> Any:
    """The live objects that an import may match: a command matches all, a person what they see."""
    return Object.objects.live() if actor is None else Object.objects.visible_to(actor)


def lock_cities(city_ids: Iterable[UUID]) -> None:
    """Lock cities until the transaction ends, in id order, as all rows are locked.

    Two imports of objects into one city follow each other, else both would create what neither saw; new
    objects from phones are not held up.
    """
    cities = City.objects.filter(pk__in=list(city_ids)).order_by("pk")
    list(cities.select_for_update(no_key=True).values_list("pk", flat=True))


def learn_city(
    index: AddressIndex,
    city_id: UUID,
    *,
    name: str,
    actor: User | None,
    since: datetime | None = None,
) -> None:
    """Put a city's addresses into the index, oldest object first.

    since: only what was written from that moment on; for a city that was learnt before.
    """
    found = visible_objects(actor).filter(city_id=city_id)
    if since is not None:
        found = found.filter(updated_at__gte=since)
    pairs = found.order_by("pk").values_list("pk", "address")
    index.learn(
        (city_id.bytes + address_key(address, city=name), pk)
        for pk, address in pairs.iterator(_READ_AT_ONCE)
    )


def new_object(draft: Draft, *, actor: User | None, default_type: str) -> Object:
    """The object that a row without a match becomes. Raises ValueError with a sentence."""
    given: dict[str, Any] = {"type": default_type or ObjectType.MKD, **draft.given}
    if is_masked(given.get("contact_phone")):
        raise MaskedValue
    if actor is not None:
        territory = Territory.of(actor)
        if actor.is_engineer and given["city_id"] == actor.city_id:
            given.setdefault("district_id", actor.district_id)
        if not territory.holds(city_id=given["city_id"], district_id=given.get("district_id")):
            raise ValueError(_("The object would lie outside your territory."))
        given |= {"created_by_id": actor.pk, "updated_by_id": actor.pk}
    return Object(**given)


def differences(draft: Draft, existing: Object, *, actor: User | None) -> Mapping[str, Any]:
    """Columns that the row gives another value than the object has. Raises ValueError."""
    given = dict(draft.given)
    if "contact_phone" in given:
        phone = unmask_input(given["contact_phone"], existing.contact_phone, mask_phone)
        if phone is UNCHANGED:
            del given["contact_phone"]
    changed = {
        column: given[column]
        for column in UPDATABLE
        if column in given and getattr(existing, column) != given[column]
    }
    if actor is not None and "district_id" in changed:
        district_id = changed["district_id"]
        if actor.is_engineer:
            raise ValueError(_("An engineer cannot move an object to another district."))
        if not Territory.of(actor).holds(city_id=existing.city_id, district_id=district_id):
            raise ValueError(_("The object would lie outside your territory."))
    return changed
