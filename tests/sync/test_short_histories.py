"""Every short history of a house, a flat and a visit, with phones that pull after any of its moments.

One house lives through each history, all of them side by side. Who pulled before and pulls afterwards must
hold what they see, and must not have heard of what they never saw. `HISTORY_LENGTH=3` tries all that are
longer by one, in about an hour.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.ids import uuid7
from crm.users.models import User
from objects.models import Object, Unit
from tests.cast import Cast
from tests.sync.phone import Phone
from tests.sync.truth import visible_versions
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)

LENGTH = int(os.environ.get("HISTORY_LENGTH", "2"))
STARTS = list(product(("centre", "north", "kazan"), ("ivan", "pyotr")))
PLACES = ("centre", "north", "kazan")


@dataclass
class Ground:
    """The ids of those to whom the same happens."""

    cast: Cast
    houses: list[Any]
    annexes: dict[Any, Any]
    units: list[Any]
    visits: list[Any]

    def live(self, model: Any, ids: list[Any]) -> QuerySet[Any]:
        rows: QuerySet[Any] = model._base_manager.filter(pk__in=ids, deleted_at=None)
        return rows

    def gone(self, model: Any, ids: list[Any]) -> QuerySet[Any]:
        """Deleted by themselves; on a live house."""
        rows: QuerySet[Any] = model._base_manager.filter(pk__in=ids, deleted_at__isnull=False)
        return rows if model is Object else rows.filter(object__deleted_at=None)

    def place(self, name: str) -> dict[str, Any]:
        if name == "kazan":
            return {"city_id": self.cast.kazan.pk, "district_id": None}
        return {"city_id": self.cast.moscow.pk, "district_id": getattr(self.cast, name).pk}


Act = Callable[[Ground], Any]


def moves(name: str) -> Act:
    return lambda on: on.live(Object, on.houses).update(**on.place(name))


def is_responsible(name: str | None) -> Act:
    def act(on: Ground) -> None:
        whose = None if name is None else getattr(on.cast, name).pk
        on.live(Object, on.houses).update(responsible_user_id=whose)

    return act


def visit_gets(**change: Any) -> Act:
    def act(on: Ground) -> None:
        given = {
            key: getattr(on.cast, value).pk for key, value in change.items() if key != "status"
        }
        on.live(Visit, on.visits).update(**({**change, **given}))

    return act


def visit_goes(*, to_annex: bool) -> Act:
    def act(on: Ground) -> None:
        there = on.annexes if to_annex else {annex: house for house, annex in on.annexes.items()}
        live = set(on.live(Object, list(there.values())).values_list("pk", flat=True))
        rows = list(on.live(Visit, on.visits).filter(status="PLANNED"))
        for visit in rows:
            target = there.get(visit.object_id)
            visit.object_id = target if target in live else visit.object_id
        Visit.objects.bulk_update(rows, ["object_id"], batch_size=500)

    return act


def deleted(*models: Any) -> Act:
    """A row alone, or the house with what hangs on it."""

    def act(on: Ground) -> None:
        ids = {Visit: on.visits, Unit: on.units, Object: on.houses}
        with transaction.atomic():
            now, deletion = timezone.now(), uuid7()
            for model in models:
                rows = on.live(model, ids[model])
                if len(models) > 1 and model is not Object:
                    rows = rows.filter(object_id__in=on.houses)
                rows.update(deleted_at=now, deletion_id=deletion)

    return act


def restored(*models: Any) -> Act:
    """Exactly what the deletion took."""

    def act(on: Ground) -> None:
        ids = {Visit: on.visits, Unit: on.units, Object: on.houses}
        with transaction.atomic():
            # Many houses share a deletion here; each takes back its own.
            first = list(on.gone(models[0], ids[models[0]]).values_list("pk", "deletion_id"))
            took = {deletion for _pk, deletion in first}
            for model in models:
                key = "pk__in" if model is models[0] else "object_id__in"
                rows = model._base_manager.filter(pk__in=ids[model], deletion_id__in=took)
                rows.filter(**{key: [pk for pk, _deletion in first]}).update(
                    deleted_at=None, deletion_id=None
                )

    return act


ACTS: dict[str, Act] = {
    **{f"moves to {name}": moves(name) for name in PLACES},
    "Ivan is responsible": is_responsible("ivan"),
    "nobody is responsible": is_responsible(None),
    "the visit is Ivan's": visit_gets(engineer_id="ivan"),
    "the visit is Pyotr's": visit_gets(engineer_id="pyotr"),
    "the visit is cancelled": visit_gets(status="CANCELLED"),
    "the visit is planned": visit_gets(status="PLANNED"),
    "the visit goes next door": visit_goes(to_annex=True),
    "the visit comes back": visit_goes(to_annex=False),
    "the flat is deleted": deleted(Unit),
    "the flat is restored": restored(Unit),
    "the visit is deleted": deleted(Visit),
    "the visit is restored": restored(Visit),
    "the house is deleted": deleted(Visit, Unit, Object),
    "the house is restored": restored(Object, Unit, Visit),
}
History = tuple[tuple[str, str], tuple[str, ...]]


def settle(cast: Cast, histories: list[History]) -> list[tuple[Any, ...]]:
    """(house, next door, flat, visit) for each history."""
    ground = Ground(cast, [], {}, [], [])
    places = [ground.place(place) for (place, _engineer), _acts in histories]
    rows = [Object(type="MKD", address=f"ул. Короткая, д. {n}", **p) for n, p in enumerate(places)]
    doors = [Object(type="MKD", address="ул. Соседняя", **ground.place("north")) for _ in places]
    for some in (rows, doors):
        Object.objects.bulk_create(some, batch_size=500)
    units = [Unit(object=house, unit_number="1") for house in rows]
    Unit.objects.bulk_create(units, batch_size=500)
    visits = [
        Visit(object=house, engineer=getattr(cast, engineer))
        for house, ((_place, engineer), _acts) in zip(rows, histories, strict=True)
    ]
    Visit.objects.bulk_create(visits, batch_size=500)
    return [tuple(r.pk for r in some) for some in zip(rows, doors, units, visits, strict=True)]


def chosen(cast: Cast, records: Iterable[tuple[Any, ...]]) -> Ground:
    houses, doors, units, visits = (list(ids) for ids in zip(*records, strict=True))
    return Ground(cast, houses, dict(zip(houses, doors, strict=True)), units, visits)


class Reader:
    """A person with a phone for each choice of moments to pull at, and what they have seen so far."""

    def __init__(self, cast: Cast, user: User) -> None:
        self.user = user
        self.phones = {
            pulls: Phone.of(cast, user, limit=10_000)
            for pulls in product((False, True), repeat=LENGTH - 1)
        }
        self.seen: set[tuple[str, str]] = set()

    def look(self, moment: int, *, pulling: bool = True) -> None:
        """What is seen inside of a transaction that goes on counts as seen, if only for a moment."""
        now = visible_versions(self.user)
        # A visit that was given to them cancelled may be mentioned, wherever it is.
        given = Visit.objects.live().filter(engineer=self.user).values_list("pk", flat=True)
        self.seen |= now.keys() | {("visits", str(pk)) for pk in given}
        if not pulling:
            return
        for pulls, phone in self.phones.items():
            if not 0 < moment < LENGTH or pulls[moment - 1]:
                phone.pull()
                assert phone.versions() == now, self.account(moment, phone.versions(), now)
                heard = {(item["table_name"], item["id"]) for item in phone.told}
                assert heard <= self.seen, self.account(moment, heard - self.seen, {})

    def account(self, moment: int, held: Any, now: Any) -> str:
        """Which histories ended so."""
        differing = set(held.keys() ^ now.keys()) if now else set(held)
        keys = {id_ for _table, id_ in differing}
        found = [
            (history, [name for name, pk in zip(NAMES, ids, strict=True) if str(pk) in keys])
            for history, ids in self.histories
            if keys & set(map(str, ids))
        ]
        lines = "\n".join(map(str, found[:40]))
        return f"{self.user} after {moment}, {len(found)} histories:\n{lines}"

    histories: list[tuple[History, tuple[Any, ...]]]


NAMES = ("house", "next door", "flat", "visit")


@pytest.mark.parametrize(
    ("place", "at_once"),
    [("centre", False), ("centre", True), ("moscow", False), ("nowhere", False)],
)
def test_every_short_history(cast: Cast, place: str, at_once: bool) -> None:
    """Ivan works in a district, in a whole city, or where he has work. at_once: in one transaction."""
    where = {
        "centre": {},
        "moscow": {"district": None},
        "nowhere": {"city": None, "district": None},
    }[place]
    if where:
        User.objects.filter(pk=cast.ivan.pk).update(**where)
        cast.ivan.refresh_from_db()
    histories = [(start, acts) for start in STARTS for acts in product(ACTS, repeat=LENGTH)]
    records = settle(cast, histories)
    readers = [Reader(cast, user) for user in (cast.ivan, cast.pyotr, cast.sergei)]
    for reader in readers:
        reader.histories = list(zip(histories, records, strict=True))
        reader.look(0)
    with transaction.atomic() if at_once else nullcontext():
        for moment in range(LENGTH):
            for name, act in ACTS.items():
                meant = [
                    ids
                    for (_start, acts), ids in zip(histories, records, strict=True)
                    if acts[moment] == name
                ]
                for first in range(0, len(meant), 500):
                    act(chosen(cast, meant[first : first + 500]))
            for reader in readers:
                reader.look(moment + 1, pulling=not at_once)
    if at_once:
        for reader in readers:
            reader.look(LENGTH)
