"""The trail in words: what the history of a record and the trail's own pages show."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEntry
from audit.registrations import PACKAGES, REPORT, TRAIL
from crm.backoffice.history import ChangedField, Event
from crm.backoffice.telling import Telling
from crm.changes import Action
from crm.errors import Sentence
from crm.users.models import User

TITLES: dict[str, Sentence] = {
    Action.CREATE: _("created"),
    Action.UPDATE: _("changed"),
    Action.DELETE: _("deleted"),
    Action.RESTORE: _("restored"),
    Action.LOGIN: _("logged in"),
    Action.LOGIN_FAILED: _("failed to log in"),
    Action.LOGOUT: _("logged out"),
    Action.PASSWORD: _("password changed"),
    Action.ROLE: _("role changed"),
    Action.EXPORT: _("exported"),
    Action.PRUNE: _("old entries removed"),
}
# Facts that a reader of a history has no use for: ids of bookkeeping, and what every row has.
DULL = frozenset(
    {"id", "version", "created_at", "updated_at", "created_by_id", "updated_by_id", "deleted_at",
     "deletion_id", "visits_count", "last_visit_at", "last_interaction_at", "last_login"}
)  # fmt: skip
# The fact by which people know a record of that kind.
NAMED_BY = ("address", "full_name", "name", "unit_number", "scheduled_at", "username")


@cache
def models_by_name() -> dict[str, type[Model]]:
    """Entity → its model."""
    return {
        str(model._meta.model_name): model
        for model in apps.get_models()
        if model._meta.app_config.name.partition(".")[0] in PACKAGES
    }


def entity_title(entity: str) -> Sentence:
    """What people call that kind of thing."""
    if entity == TRAIL:
        return _("audit trail")
    if entity == REPORT:
        return _("export")
    model = models_by_name().get(entity)
    return entity if model is None else model._meta.verbose_name  # type: ignore[return-value]


def record_name(entry: AuditEntry, telling: Telling) -> str:
    """By what people know the record, from the facts that the entry holds itself."""
    facts = entry.after or entry.before or {}
    model = models_by_name().get(entry.entity_type)
    for name in NAMED_BY:
        if facts.get(name):
            return telling.text(model, name, facts[name]) if model else str(facts[name])
    return ""


def fields_of(entry: AuditEntry, telling: Telling) -> list[ChangedField]:
    """What changed, in words. A new record tells what was given, a deleted one what it was."""
    model = models_by_name().get(entry.entity_type)
    told = []
    for name, change in entry.changes_summary.items():
        if name in DULL:
            continue
        if model is None or name not in {f.attname for f in model._meta.concrete_fields}:
            old, new, title = text_of(change["old"]), text_of(change["new"]), name
        else:
            old = telling.text(model, name, change["old"])
            new = telling.text(model, name, change["new"])
            title = telling.title(model, name)
        if old or new:
            told.append(ChangedField(title=title, old=old, new=new))
    return told


def text_of(value: Any) -> str:
    """A fact of an event."""
    return "" if value is None else str(value)


def fetched(entries: Sequence[AuditEntry], reader: User) -> Telling:
    """What these entries refer to, looked up for that reader."""
    telling = Telling(reader)
    for entity in {entry.entity_type for entry in entries}:
        model = models_by_name().get(entity)
        if model is not None:
            own = [entry for entry in entries if entry.entity_type == entity]
            telling.fetch(model, [facts for one in own for facts in (one.before, one.after)])
    return telling


def event_of(entry: AuditEntry, telling: Telling) -> Event:
    """One entry as a line of a history."""
    # A deletion says nothing new about the fields.
    told = [] if entry.action in (Action.DELETE, Action.RESTORE) else fields_of(entry, telling)
    return Event(
        at=entry.timestamp,
        who=entry.actor_name or "",
        action=entry.action,
        title=TITLES.get(entry.action, entry.action),
        fields=told,
        version=entry.version,
    )


def history(entity: str, record_id: UUID, reader: User, limit: int) -> list[Event]:
    """The latest entries of a record that the reader may see."""
    rows = AuditEntry.objects.visible_to(reader).filter(entity_type=entity, entity_id=record_id)
    entries = list(rows.order_by("-timestamp", "-pk")[:limit])
    telling = fetched(entries, reader)
    return [event_of(entry, telling) for entry in entries]
