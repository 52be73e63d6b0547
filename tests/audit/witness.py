"""Sees for itself what a step changed, in the tables, and holds the trail against it."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model

from audit.models import AuditEntry
from audit.personal import masked
from audit.registrations import PACKAGES, UNTOLD
from crm.changes import snapshot
from crm.records import Record
from crm.users.models import User

Key = tuple[str, UUID]
Rows = dict[Key, dict[str, Any]]

CHANGES = {"create", "update", "delete", "restore"}
ADDRESS, CLIENT = "203.0.113.7", "walker/1.0"


@dataclass(frozen=True)
class Origin:
    """Where a step's entries must say that they come from."""

    actor: User | None
    request_id: str | None = None
    address: str | None = None
    client: str | None = None


def told_models() -> list[type[Model]]:
    """Every model whose rows have entries."""
    return [
        model
        for model in apps.get_models()
        if model._meta.app_config.name.partition(".")[0] in PACKAGES
        and model._meta.label not in UNTOLD
    ]


def kept_by_the_server(model: type[Model]) -> set[str]:
    """Columns whose moves are no change of the record."""
    derived = model.DERIVED if issubclass(model, Record) else ()
    return {"updated_at", "last_login", "last_interaction_at", *derived}


def rows() -> Rows:
    """Every row that the trail is about, as the tables have it."""
    return {
        (str(model._meta.model_name), row.pk): {
            name: value
            for name, value in snapshot(row).items()
            if name not in kept_by_the_server(model)
        }
        for model in told_models()
        for row in model._base_manager.all()
    }


def expected(before: Rows, after: Rows) -> dict[Key, tuple[str, Any, Any]]:
    """Record → what must have been told of it: action, before, after."""
    found: dict[Key, tuple[str, Any, Any]] = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        was_gone = old is not None and old.get("deleted_at") is not None
        is_gone = new is not None and new.get("deleted_at") is not None
        if old == new:
            continue
        if old is None:
            found[key] = ("create", None, new)
        elif new is None or (is_gone and not was_gone):
            found[key] = ("delete", old, None)
        elif was_gone and not is_gone:
            found[key] = ("restore", None, new)
        else:
            found[key] = ("update", old, new)
    return found


def without_kept(entry: AuditEntry, facts: dict[str, Any] | None) -> dict[str, Any] | None:
    model = next(m for m in told_models() if m._meta.model_name == entry.entity_type)
    kept = kept_by_the_server(model)
    return facts and {name: value for name, value in facts.items() if name not in kept}


def city_of(entity_type: str, facts: dict[str, Any], known: Rows) -> UUID | None:
    """The city of a record with these columns."""
    if entity_type == "city":
        return UUID(facts["id"])
    if "object_id" in facts:
        facts = known["object", UUID(facts["object_id"])]
    return UUID(facts["city_id"]) if facts["city_id"] else None


@contextmanager
def witnessed(origin: Origin, *events: str, changes: int | None = None) -> Generator[None]:
    """Whatever the block changes has exactly one entry per record, true to the tables, from `origin`.

    events: the other entries that it must leave (login …). changes: how many records it must change.
    """
    before = rows()
    known = {*AuditEntry.objects.values_list("pk", flat=True)}
    yield
    after = rows()
    new = [entry for entry in AuditEntry.objects.order_by("pk") if entry.pk not in known]
    told = [entry for entry in new if entry.action in CHANGES]
    due = expected(before, after)
    assert changes is None or len(due) == changes, f"the step changed {due}"
    assert Counter((e.entity_type, e.entity_id) for e in told) == Counter(due.keys())
    for entry in told:
        key = (entry.entity_type, entry.entity_id)
        action, old, new_facts = due[key]
        assert (entry.action, without_kept(entry, entry.before), without_kept(entry, entry.after)) == (
            action, masked(old), masked(new_facts),
        ), key  # fmt: skip
        facts = new_facts or old
        assert entry.version == facts.get("version"), key
        assert entry.city_id == city_of(entry.entity_type, facts, {**before, **after}), key
    assert sorted(e.action for e in new if e.action not in CHANGES) == sorted(events)
    for entry in new:
        said = (entry.actor_id, entry.actor_name, entry.cid, entry.remote_addr, entry.user_agent)
        actor = origin.actor
        assert said == (
            actor and actor.pk, actor and User.objects.get(pk=actor.pk).full_name,
            origin.request_id, origin.address, origin.client,
        ), entry  # fmt: skip
