"""How records are deleted softly, along with what hangs on them, and brought back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.changes import Action, Change, report, snapshot
from crm.db.bulk import update_rows
from crm.db.names import hold_names, name_of_value
from crm.editing import change_of, entity_of, locked
from crm.errors import Conflict, Forbidden
from crm.ids import uuid7
from crm.records import Record

if TYPE_CHECKING:
    from crm.users.models import User

R = TypeVar("R", bound=Record)


def with_hanging(record: Record) -> list[type[Record]]:
    """The record's own kind, and the kinds that hang on it."""
    return [type(record), *hanging_on(record)]


def hanging_on(record: Record) -> list[type[Record]]:
    """The kinds of record that are deleted and restored along with this one."""
    if record.object_path():
        return []
    return [
        relation.related_model
        for relation in record._meta.related_objects
        if issubclass(relation.related_model, Record) and relation.field.name == "object"
    ]


def of_deletion(model: type[Record], record: Record) -> models.QuerySet[Any]:
    """The rows of that kind that the record's deletion took; without an id of its own, the record alone.

    Whoever deletes by plain SQL may leave the id out, and every live row has none either.
    """
    rows: models.QuerySet[Any] = model._base_manager.all()
    if record.deletion_id is not None:
        return rows.filter(deletion_id=record.deletion_id)
    return rows.filter(pk=record.pk) if model is type(record) else rows.none()


def tombstone(record: R, *, actor: "User | None") -> R:
    """Delete a locked record softly, with what hangs on it, under one deletion id."""
    changes = entomb([record])
    record.refresh_from_db()
    report(changes, actor=actor)
    return record


def entomb(records: Sequence[Record]) -> list[Change]:
    """Delete locked records of one kind, each with what hangs on it and under a deletion id of its own.

    Returns what to report. Takes the same number of statements for any number of records.
    """
    now = timezone.now()
    deletions = {record.pk: (record, uuid7()) for record in records}
    kind = type(records[0])
    gone: list[tuple[Any, UUID]] = []
    for model in with_hanging(records[0]):
        own = model is kind
        rows: models.QuerySet[Any] = model._base_manager.filter(deleted_at__isnull=True)
        rows = rows.filter(**{"pk__in" if own else "object_id__in": list(deletions)})
        for one in rows.order_by("pk").select_for_update(no_key=True):
            top, deletion = deletions[one.pk if own else one.object_id]
            if not own:
                one.object = top
            elif one.object_path():
                one.object = top.object  # type: ignore[attr-defined]
            gone.append((one, deletion))
    # Told as it was before anything went: counters fall as visits go.
    changes = [change_of(Action.DELETE, one, before=snapshot(one)) for one, _deletion in gone]
    # What hangs on an object goes first: the database refuses to delete an object from over its flats.
    for model in reversed(with_hanging(records[0])):
        stamped = [(one.pk, now, deletion) for one, deletion in gone if type(one) is model]
        if stamped:
            update_rows(
                transaction.get_connection(), model, ["id"], ["deleted_at", "deletion_id"], stamped
            )
    return changes


def with_parent(row: Any, record: Record) -> Any:
    """The row with its object at hand: the trail notes the object's city, and must not ask for each row."""
    if type(row) is not type(record):
        row.object = record
    return row


def revive(record: R, *, actor: "User | None") -> R:
    """Bring back exactly what one deletion took: the record itself and what went with it.

    The caller has locked the record. Raises Conflict when it went with its object's deletion, and whatever
    the database refuses as IntegrityError (a phone or number that is taken by now).
    """
    path = record.object_path()
    if path and getattr(record, path).is_deleted:
        raise Conflict(
            _("This record was deleted together with its object. Restore the object."),
            details={"object_id": str(getattr(record, f"{path}_id"))},
        )
    back: list[Any] = []
    for model in with_hanging(record):
        rows = of_deletion(model, record).order_by("pk").select_for_update(no_key=True)
        ids = [one.pk for one in rows]
        model._base_manager.filter(pk__in=ids).update(deleted_at=None, deletion_id=None)
        back.append((model, ids))
    record.refresh_from_db()
    # Read after everything is back: counters rise as visits return.
    report(
        [
            change_of(Action.RESTORE, with_parent(one, record), after=snapshot(one))
            for model, ids in back
            for one in model._base_manager.filter(pk__in=ids).order_by("pk")
        ],
        actor=actor,
    )
    return record


def delete_record(model: type[R], record_id: UUID, *, actor: "User") -> R:
    """Delete one record softly, in one transaction. Raises NotFound, and Forbidden for an engineer."""
    with transaction.atomic():
        record = locked(model, record_id, actor=actor)
        if actor.is_engineer:
            raise Forbidden(_("Engineers cannot delete records."))
        return tombstone(record, actor=actor)


def restore_record(model: type[R], record_id: UUID, *, actor: "User") -> R:
    """Bring back one deletion, in one transaction; a live record stays as it is.

    Raises Forbidden for all but administrators, NotFound, and Conflict that lists what is in the way.
    """
    if not actor.is_admin:
        raise Forbidden(_("Only administrators restore records."))
    with transaction.atomic():
        hold_names(transaction.get_connection(), names_of_deletion(model, record_id))
        # Whether it is deleted is asked under the lock: somebody may be restoring it right now.
        record = locked(model, record_id, actor=actor, deleted=True)
        if not record.is_deleted:
            return record
        clashes = clashes_of(record)
        if clashes:
            raise Conflict(
                _("Restoring would clash with records made since."), details={"clashes": clashes}
            )
        try:
            with transaction.atomic():
                return revive(record, actor=actor)
        except IntegrityError as error:
            # Somebody took the value between our look and our write.
            raise Conflict(
                _("Restoring would clash with records made since."),
                details={"clashes": clashes_of(record)},
            ) from error


def names_of_deletion(model: type[Record], record_id: UUID) -> set[str]:
    """The names of the unique values that would come back: see `crm.db.names`. The deleted cannot change."""
    record = model._base_manager.filter(pk=record_id, deleted_at__isnull=False).first()
    if record is None:
        return set()
    return {
        name_of_value(constraint, str(value))
        for kind in with_hanging(record)
        for field, constraint in kind.unique_alone().items()
        for value in of_deletion(kind, record)
        .exclude(**{field: None})
        .values_list(field, flat=True)
    }


def clashes_of(record: Record) -> list[dict[str, str]]:
    """Live rows that hold a unique value of a row about to be restored."""
    found = []
    for model in with_hanging(record):
        returning = of_deletion(model, record)
        for constraint in model._meta.constraints:
            if not isinstance(constraint, models.UniqueConstraint) or not constraint.fields:
                continue
            same = {name: models.OuterRef(name) for name in constraint.fields}
            taken = model._base_manager.filter(deleted_at__isnull=True, **same).values("pk")[:1]
            rows = returning.annotate(taken_by=models.Subquery(taken)).filter(
                taken_by__isnull=False
            )
            found += [
                {
                    "entity_type": entity_of(row),
                    "id": str(row.pk),
                    "field": constraint.fields[-1],
                    "existing_id": str(row.taken_by),
                }
                for row in rows
            ]
    return found
