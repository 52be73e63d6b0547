"""How one record is written, whichever door the change comes through.

Lock, compare versions, resolve masks, check the rules, write under the version, read back, report.
The services of each app put these steps together; nobody else writes records.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models.base import ModelState
from django.utils.translation import gettext as _

from crm.changes import Action, Change, report, snapshot, snapshots
from crm.db import violated_constraint
from crm.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, Sentence
from crm.masking import UNCHANGED, MaskedValue, is_masked, mask_email, mask_phone, unmask_input
from crm.merge import Strategy, Verdict, judge, same
from crm.records import Record

if TYPE_CHECKING:
    from crm.users.models import User

R = TypeVar("R", bound=Record)
M = TypeVar("M", bound=models.Model)
Changes = dict[str, Any]

# Personal data: field → how an engineer sees it. The same name means the same everywhere.
MASKS: dict[str, Callable[[str | None], str | None]] = {
    "phone": mask_phone,
    "contact_phone": mask_phone,
    "email": mask_email,
}


class StaleRecord(Conflict):
    """The edit was based on another version. Doors show both sides of it, masked as the caller sees them."""

    def __init__(
        self, record: Record, client: Mapping[str, Any], base: int | None, verdict: Verdict
    ) -> None:
        super().__init__(_("The record was changed by somebody else in the meantime."))
        self.record = record
        self.client = dict(client)
        self.base_version = base
        self.verdict = verdict


def entity_of(record: models.Model) -> str:
    """The entity's name in the trail: object, unit, customer, visit, user …"""
    return str(record._meta.model_name)


def city_of(record: models.Model) -> UUID | None:
    """The city that a record belongs to at this moment."""
    if hasattr(record, "city_id"):
        return record.city_id  # type: ignore[no-any-return]
    parent = getattr(record, "object", None)
    return None if parent is None else parent.city_id


def change_of(
    action: Action,
    record: models.Model,
    *,
    before: Changes | None = None,
    after: Changes | None = None,
) -> Change:
    """The report of one record's change."""
    return Change(
        action=action,
        entity_type=entity_of(record),
        entity_id=record.pk,
        before=before,
        after=after,
        city_id=city_of(record),
        version=getattr(record, "version", None),
    )


def edit_of(before: models.Model, after: models.Model) -> Change:
    """The report of an edit; `after` was a copy of `before`."""
    told, also = snapshots(before, after)
    return change_of(Action.UPDATE, after, before=told, after=also)


def locked(
    model: type[R],
    record_id: UUID,
    *,
    actor: "User",
    deleted: bool = False,
    also: UUID | None = None,
) -> R:
    """The record in the caller's sight, locked until the transaction ends.

    Its object is locked first: deleting an object, finishing a visit and hanging something new on an object
    all start there, so they wait for each other instead of deadlocking. `also` is the object that it is about
    to move to. `deleted`: a tombstone will do as well. Raises NotFound.
    """
    queryset = model.objects.in_sight_of(actor) if deleted else model.objects.visible_to(actor)
    path = model.object_path()
    if path:
        parent_id = queryset.filter(pk=record_id).values_list(f"{path}_id", flat=True).first()
        if parent_id is None:
            raise NotFound
        ids = [parent_id] if also is None else [parent_id, also]
        lock_rows(model._meta.get_field(path).related_model, ids)  # type: ignore[arg-type]
        queryset = queryset.select_related(path)
    record = queryset.select_for_update(of=("self",), no_key=True).filter(pk=record_id).first()
    if record is None:
        raise NotFound
    return cast("R", record)


def lock_rows(model: type[models.Model], ids: list[UUID]) -> None:
    """Lock rows in id order, so that two writers never wait for each other in a circle."""
    rows = model._base_manager.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))


def reference(queryset: models.QuerySet[M], record_id: UUID | None, *, field: str) -> M | None:
    """The row that an input refers to, looked up in what the caller may see.

    Raises Invalid: what lies outside is no different from what does not exist.
    """
    if record_id is None:
        return None
    found = queryset.filter(pk=record_id).first()
    if found is None:
        raise Invalid({field: _("There is no such record, or you cannot see it.")})
    return found


def compare(record: Record, changes: Changes, *, version: int | None, force: bool) -> None:
    """Refuse an edit that was based on another version. Raises StaleRecord.

    Masked values are compared as what they stand for: an old mask on a stale edit is a conflict.
    """
    if version is None or force:
        return
    verdict = judged(record, changes, version=version)
    if not verdict.admits(Strategy.REJECT):
        raise StaleRecord(record, changes, version, verdict)


def judged(
    record: Record, changes: Changes, *, version: int | None, own_versions: Collection[int] = ()
) -> Verdict:
    """The verdict on an edit, with values that are the caller's own mask of a stored one taken as equal."""
    server = {name: getattr(record, name) for name in changes}
    client = {
        name: server[name] if is_own_mask(record, name, value) else value
        for name, value in changes.items()
    }
    return judge(
        base_version=version,
        current_version=record.version,
        field_versions=record.field_versions,
        server=server,
        client=client,
        own_versions=own_versions,
    )


def is_own_mask(record: models.Model, name: str, value: Any) -> bool:
    """Whether the value is the mask of what is stored: sent back, it means "unchanged"."""
    mask = MASKS.get(name)
    return mask is not None and is_masked(value) and value == mask(getattr(record, name))


def without_masks(record: models.Model | None, changes: Changes) -> Changes:
    """Drop masked values that stand for what is stored.

    Raises Invalid for any other value with a mask's asterisk: it would overwrite a number with stars.
    """
    kept: Changes = {}
    for name, value in changes.items():
        meant = value
        if name in MASKS:
            stored = None if record is None else getattr(record, name)
            try:
                meant = unmask_input(value, stored, MASKS[name])
            except MaskedValue as error:
                raise Invalid({name: str(error)}) from None
        if meant is not UNCHANGED:
            kept[name] = meant
    return kept


def really_changed(record: models.Model, changes: Changes) -> Changes:
    """The part of the edit that differs from the row."""
    return {
        name: value for name, value in changes.items() if not same(getattr(record, name), value)
    }


def refuse_fields(record: models.Model, changes: Changes, *fields: str, message: Sentence) -> None:
    """Raise Forbidden when one of the fields would really change."""
    refused = [name for name in fields if name in really_changed(record, changes)]
    if refused:
        raise Forbidden(message, details={"fields": refused})


@contextmanager
def refusals(
    sentences: Mapping[str, tuple[str, Sentence]],
    *,
    duplicate: Callable[[str], UUID | None] | None = None,
) -> Iterator[None]:
    """Turn what the database refuses into a caller's error.

    sentences: constraint (or column, where one is unique by itself) → (field, sentence).
    duplicate: finds the id of the row that is in the way, when the caller may see it.
    Anything unexpected goes on as it is.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        refusal = refusal_of(error, sentences, duplicate=duplicate)
        if refusal is None:
            raise
        raise refusal from error


def refusal_of(
    error: IntegrityError,
    sentences: Mapping[str, tuple[str, Sentence]],
    *,
    duplicate: Callable[[str], UUID | None] | None = None,
) -> Duplicate | Invalid | None:
    """What the database refused as a caller's error; None for what nobody foresaw. See `refusals`."""
    violation = violated_constraint(error)
    if violation is None:
        return None
    # A column that is unique by itself has no constraint's name on SQLite: there its own name is the key.
    key = violation.name or unique_constraint_of(violation.columns) or ",".join(violation.columns)
    if key not in sentences:
        return None
    field, sentence = sentences[key]
    if violation.kind == "unique":
        return Duplicate(sentence, field=field, existing_id=duplicate(field) if duplicate else None)
    return Invalid({field: sentence})


def unique_constraint_of(columns: tuple[str, ...]) -> str | None:
    """The name of the records' unique constraint on these columns (SQLite tells only the columns)."""
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
                own = tuple(model._meta.get_field(name).column for name in constraint.fields)  # type: ignore[union-attr]
                if own == columns:
                    return constraint.name
    return None


def insert(record: R, *, actor: "User | None") -> R:
    """Write a new record and report it."""
    record.save(force_insert=True)
    report([change_of(Action.CREATE, record, after=snapshot(record))], actor=actor)
    return record


def apply(record: R, changes: Changes, *, actor: "User | None") -> R:
    """Write the edit into a locked record, under its version, and report it; nothing when nothing differs.

    Raises StaleRecord when another writer slipped in (an engine without row locks).
    """
    changes = really_changed(record, changes)
    if not changes:
        return record
    before = snapshot(record)
    written = dict(changes)
    if actor is not None and hasattr(record, "updated_by_id"):
        written["updated_by_id"] = actor.pk
    guarded = type(record)._base_manager.filter(
        pk=record.pk, version=record.version, deleted_at__isnull=True
    )
    if guarded.update(**written) != 1:
        verdict = Verdict(stale=True, differing=tuple(changes), conflicting=())
        raise StaleRecord(record, changes, record.version, verdict)
    record.refresh_from_db()
    report([change_of(Action.UPDATE, record, before=before, after=snapshot(record))], actor=actor)
    return record


def drafted(model: type[M], values: Changes) -> M:
    """`model(**values)` at a fifth of its cost: a new instance with its defaults. values: by column.

    Raises TypeError for a name that is no column.
    """
    blank, made = _blank(model)
    unknown = values.keys() - blank.keys()
    if unknown:
        raise TypeError(f"{model.__name__} has no column {sorted(unknown)}")
    draft = object.__new__(model)
    draft.__dict__.update(blank)
    draft.__dict__.update({name: make() for name, make in made.items() if name not in values})
    draft.__dict__.update(values)
    draft._state = ModelState()
    return draft


@cache
def _blank(model: type[models.Model]) -> tuple[Changes, dict[str, Callable[[], Any]]]:
    """What every new instance has, and what each has of its own: ids, lists."""
    blank = {name: value for name, value in model().__dict__.items() if name != "_state"}
    made = {
        f.attname: f.default
        for f in model._meta.concrete_fields
        if f.has_default() and callable(f.default)
    }
    return blank, made


def edited(record: M, changes: Changes) -> M:
    """A copy of the record as it would be after the edit, for checking rules."""
    # copy.copy() would go through pickling.
    draft = object.__new__(type(record))
    draft.__dict__.update(record.__dict__)
    # Without what is cached: a related row would still be the old one.
    draft._state = ModelState()
    draft._state.db, draft._state.adding = record._state.db, record._state.adding
    for name, value in changes.items():
        setattr(draft, name, value)
    return draft


@dataclass(frozen=True)
class RecordServices:
    """The four services that every kind of record has."""

    create: Callable[..., Record]
    update: Callable[..., Record]
    delete: Callable[..., Record]
    restore: Callable[..., Record]
