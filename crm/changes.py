"""The change port: services say here what they changed, inside the transaction that changes it.

Whoever keeps a trail implements `ChangeListener` and registers; nothing below knows who listens. A listener
that fails takes the change with it: no change without its entry.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models, transaction

if TYPE_CHECKING:
    from crm.users.models import User


class Action(StrEnum):
    """What happened."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    PASSWORD = "password"  # noqa: S105 - the name of an event
    ROLE = "role"
    EXPORT = "export"
    PRUNE = "prune"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from. Empty for commands, which say who acts when they know.

    device: by what name the client calls itself; a secret, for `crm.users.login_limits` alone.
    """

    actor: "User | None" = None
    request_id: str = ""
    ip_address: str | None = None
    user_agent: str = ""
    device: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One record's change. before and after hold plain column values, whole; listeners mask them."""

    action: Action
    entity_type: str
    entity_id: UUID | None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    city_id: UUID | None = None
    version: int | None = None
    origin: Origin = field(default_factory=Origin)


ChangeListener = Callable[[Sequence[Change]], None]

_listeners: list[ChangeListener] = []
_origin: ContextVar[Origin] = ContextVar("origin")

# Bookkeeping of the database, of no interest to a reader of the trail; secrets are left out everywhere.
UNTOLD = {"field_versions", "feed_position", "search_text", "password"}


def listen(listener: ChangeListener) -> None:
    """Call `listener` with each service call's changes, in their transaction. Registering twice is once."""
    if listener not in _listeners:
        _listeners.append(listener)


def forget(listener: ChangeListener) -> None:
    """Undo `listen`."""
    if listener in _listeners:
        _listeners.remove(listener)


def current_origin() -> Origin:
    """Where the work at hand comes from."""
    return _origin.get(Origin())


@contextmanager
def originating(origin: Origin) -> Iterator[None]:
    """Attribute what is changed inside the block to `origin`."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def attribute_to(actor: "User") -> None:
    """Name the person behind the work at hand, once known; ends with the surrounding `originating`."""
    _origin.set(replace(current_origin(), actor=actor))


def report(changes: Sequence[Change], *, actor: "User | None") -> None:
    """Tell the listeners, once per service call.

    Raises RuntimeError outside a transaction: a trail written apart from its change proves nothing.
    """
    if not changes:
        return
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Changes are reported inside the transaction that makes them.")
    origin = current_origin()
    if actor is not None:
        origin = replace(origin, actor=actor)
    told = [replace(change, origin=origin) for change in changes]
    for listener in _listeners:
        listener(told)


PLAIN: dict[type, Callable[[Any], Any]] = {
    datetime: lambda moment: moment.isoformat().replace("+00:00", "Z"),
    date: date.isoformat,
    time: time.isoformat,
    UUID: str,
    Decimal: str,
}


def plain(value: Any) -> Any:
    """A column's value as JSON can hold it; moments in UTC as ISO 8601 with Z."""
    convert = PLAIN.get(type(value))
    return value if convert is None else convert(value)


def snapshot(instance: models.Model) -> dict[str, Any]:
    """The row's columns as plain values: a change's before or after."""
    convert = PLAIN.get
    told = {}
    for name in told_columns(type(instance)):
        value = getattr(instance, name)
        # Inline, and not `plain`: a batch takes two snapshots of each of a thousand rows.
        turned = convert(value.__class__)
        told[name] = value if turned is None else turned(value)
    return told


def snapshots(before: models.Model, after: models.Model) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides of an edit, the second a copy of the first: what the copy still shares is turned once."""
    told, old, new = snapshot(before), before.__dict__, after.__dict__
    also = {
        name: turned if new[name] is old.get(name) else plain(new[name])
        for name, turned in told.items()
    }
    return told, also


@cache
def told_columns(model: type[models.Model]) -> tuple[str, ...]:
    """The columns that a reader of the trail may be told of."""
    return tuple(f.attname for f in model._meta.concrete_fields if f.attname not in UNTOLD)
