"""A push as it comes in: read, measured and named, before anybody looks at the database."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson
from django.utils.translation import gettext as _

from crm.editing import Changes
from crm.errors import CallerError, Invalid
from crm.merge import Strategy
from sync.kinds import TABLES

MAX_ITEMS: Final = 1000
# What people and forms make is flat; deeper values are refused before anything recursive meets them.
MAX_DEPTH: Final = 64
UPSERT, DELETE = "upsert", "delete"


@dataclass
class Item:
    """One edit of one record.

    name: the id as the phone wrote it, so that it finds the result. refusal: what is wrong with the item by
    itself. values and ignored are filled in by the reader of its table's fields.
    """

    name: str
    id: UUID
    table: str
    action: str
    payload: Mapping[str, Any]
    version: int | None
    fingerprint: str
    raw: Mapping[str, Any]
    refusal: CallerError | None = None
    values: Changes = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, UUID]:
        """The record that it is about."""
        return self.table, self.id


@dataclass(frozen=True)
class Batch:
    """A push: its items in the order given, and what to do about stale ones."""

    items: list[Item]
    strategy: Strategy


def read_batch(body: Any) -> Batch:
    """The batch in a request's body. Raises Invalid when it is malformed as a whole."""
    if not isinstance(body, Mapping):
        raise Invalid({"__all__": _("The batch must be a JSON object.")})
    given = body.get("items")
    if not isinstance(given, list) or not given:
        raise Invalid({"items": _("Give a list of at least one item.")})
    if len(given) > MAX_ITEMS:
        raise Invalid({"items": _("A batch has at most %(limit)s items.") % {"limit": MAX_ITEMS}})
    strategy = read_strategy(body)
    problems: dict[str, str] = {}
    items = []
    for position, raw in enumerate(given):
        if not isinstance(raw, Mapping):
            problems[f"items.{position}"] = _("An item must be a JSON object.")
            continue
        name = raw.get("client_generated_id")
        record_id = as_uuid(name)
        if record_id is None:
            problems[f"items.{position}.client_generated_id"] = _("Give a UUID.")
        else:
            items.append(read_item(raw, str(name), record_id))
    if problems:
        raise Invalid(problems)
    return Batch(items, strategy)


def read_strategy(body: Mapping[str, Any]) -> Strategy:
    """The strategy that the body asks for. Raises Invalid for one that does not exist."""
    force, named = body.get("force"), body.get("strategy")
    if force is not None and not isinstance(force, bool):
        raise Invalid({"force": _("Give true or false.")})
    if named is not None and named not in list(Strategy):
        raise Invalid(
            {
                "strategy": _("Unknown value “%(value)s”. Known values: %(known)s.")
                % {"value": str(named)[:40], "known": ", ".join(Strategy)}
            }
        )
    return Strategy.FORCE if force else Strategy(named or Strategy.REJECT)


def as_uuid(value: Any) -> UUID | None:
    """The UUID that a text is, or None."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def read_item(raw: Mapping[str, Any], name: str, record_id: UUID) -> Item:
    """One item; what is wrong with it is a refusal of its own, not of the batch."""
    table, action = raw.get("table_name"), raw.get("action")
    payload, version = raw.get("payload"), raw.get("version")
    problems: dict[str, str] = {}
    if table not in TABLES:
        problems["table_name"] = _("Known values: %(known)s.") % {"known": ", ".join(TABLES)}
    action = UPSERT if action is None else action
    if action not in (UPSERT, DELETE):
        problems["action"] = _("Known values: %(known)s.") % {"known": f"{UPSERT}, {DELETE}"}
    payload = {} if payload is None else payload
    if not isinstance(payload, Mapping):
        problems["payload"] = _("The payload must be a JSON object.")
    if version is not None and (
        isinstance(version, bool) or not isinstance(version, int) or version < 0
    ):
        problems["version"] = _("The version must be a whole number.")
    if too_deep(raw):
        problems["payload"] = _("The value is nested more than %(limit)s levels deep.") % {
            "limit": MAX_DEPTH
        }
    sound = not problems
    return Item(
        name=name,
        id=record_id,
        table=table if isinstance(table, str) and table in TABLES else "",
        action=str(action) if action in (UPSERT, DELETE) else UPSERT,
        payload=payload if sound else {},
        version=version if sound else None,
        fingerprint=fingerprint_of(raw, record_id, str(table), str(action)),
        raw=raw,
        refusal=Invalid(problems) if problems else None,
    )


def fingerprint_of(raw: Mapping[str, Any], record_id: UUID, table: str, action: str) -> str:
    """What makes an item the same item when it comes again: SHA-256 over its canonical JSON."""
    told = [
        table,
        str(record_id),
        action,
        raw.get("payload"),
        raw.get("version"),
        raw.get("updated_at"),
    ]
    return sha256(as_json(told, sort=True)).hexdigest()


def as_json(value: Any, *, sort: bool = False) -> bytes:
    """JSON text of what a parser made, of any depth that it lets through."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort else None)
    except orjson.JSONEncodeError:
        # Deeper than that library writes.
        try:
            return json.dumps(value, sort_keys=sort).encode()
        except RecursionError:
            return b'"too deep"'


def too_deep(value: Any) -> bool:
    """Whether lists and objects are nested more than MAX_DEPTH deep. Does not recurse."""
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [one for held in level for one in inner(held)]
        if not level:
            return False
    return True


def inner(value: Any) -> Iterator[Any]:
    """The lists and objects directly inside of a list or an object."""
    for one in value.values() if isinstance(value, Mapping) else value:
        if isinstance(one, dict | list):
            yield one
