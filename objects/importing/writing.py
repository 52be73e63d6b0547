"""The writes of an import, a batch at a time."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connections

from crm.changes import Action, Change, report, snapshot
from crm.db.bulk import copy_rows
from crm.editing import change_of, entity_of
from crm.users.models import User
from objects.importing.units import NewUnit, UnitCount, missing_units
from objects.models import Object, Unit

_ROWS_A_STATEMENT = 250


@dataclass(slots=True)
class Writer:
    """Collects a batch's objects and writes them together. Under `dry_run` it only counts."""

    actor: User | None
    dry_run: bool
    _created: list[Object] = field(default_factory=list)
    _changed: dict[UUID, tuple[Object, Mapping[str, Any]]] = field(default_factory=dict)
    _units: list[UnitCount] = field(default_factory=list)

    def locked(self, found: Any) -> Iterable[Object]:
        """The objects of a query, locked in its order, as what they are before the change."""
        rows: Iterable[Object] = (
            found if self.dry_run else found.select_for_update(of=("self",), no_key=True)
        )
        return rows

    def create(self, new: Object, units: UnitCount | None) -> None:
        """Write a new object, and its units."""
        self._created.append(new)
        self._units += [units] if units else []

    def update(self, current: Object, changed: Mapping[str, Any], units: UnitCount | None) -> None:
        """Write columns of an object that is there, and the units that it lacks."""
        if changed:
            self._changed[current.pk] = (current, changed)
        self._units += [units] if units else []

    def write(self) -> Counter[UUID]:
        """Write the batch and forget it. Call it inside the import's transaction.

        Returns how many new units each object got.
        """
        if not self.dry_run:
            self._write_objects()
        grown = self._write_units()
        self._created, self._changed, self._units = [], {}, []
        return grown

    def _write_objects(self) -> None:
        Object.objects.bulk_create(self._created, batch_size=_ROWS_A_STATEMENT)
        told = [change_of(Action.CREATE, new, after=snapshot(new)) for new in self._created]
        columns: set[str] = set()
        before: dict[UUID, dict[str, Any]] = {}
        objects = [current for current, _ in self._changed.values()]
        for current, changed in self._changed.values():
            before[current.pk] = snapshot(current)
            for column, value in changed.items():
                setattr(current, column, value)
            if self.actor is not None:
                current.updated_by_id = self.actor.pk
            columns |= changed.keys()
        if columns:
            names = {Object._meta.get_field(column).name for column in columns}
            names |= {"updated_by"} if self.actor is not None else set()
            Object.objects.bulk_update(objects, sorted(names), batch_size=_ROWS_A_STATEMENT)
            Object.read_back(objects, using=Object.objects.db)
        told += [
            change_of(Action.UPDATE, each, before=before[each.pk], after=snapshot(each))
            for each in objects
        ]
        report(told, actor=self.actor)

    def _write_units(self) -> Counter[UUID]:
        grown: Counter[UUID] = Counter()
        for units in missing_units(self._units):
            if not self.dry_run:
                self._create_units(units)
            grown.update(unit.object_id for unit in units)
        return grown

    def _create_units(self, units: list[NewUnit]) -> None:
        cities = {each.object_id: each.city_id for each in self._units}
        table = Unit._meta.db_table
        copy_rows(connections[Unit.objects.db], table, NewUnit._fields, units)
        told = [
            Change(
                action=Action.CREATE,
                entity_type=entity_of(unit),
                entity_id=unit.pk,
                after=snapshot(unit),
                city_id=cities[unit.object_id],
                version=unit.version,
            )
            for unit in Unit._base_manager.filter(pk__in=[each.id for each in units])
        ]
        report(told, actor=self.actor)
