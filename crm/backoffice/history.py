"""The port of a record's history: whoever keeps a trail tells it here, in the reader's words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.errors import Sentence
from crm.users.models import User


@dataclass(frozen=True, slots=True)
class ChangedField:
    """A field's values before and after, as people read them; '' = nothing."""

    title: Sentence
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to the record once. version: after it."""

    at: datetime
    who: str
    action: str
    title: Sentence
    fields: Sequence[ChangedField] = ()
    version: int | None = None


Teller = Callable[[str, UUID, User, int], Sequence[Event]]
_tellers: list[Teller] = []


def tell(teller: Teller) -> None:
    """Register who knows the history: (entity, id, reader, at most so many) → newest first."""
    if teller not in _tellers:
        _tellers.append(teller)


def history_of(entity: str, record_id: UUID, *, reader: User, limit: int) -> list[Event]:
    """The record's latest events, as far as the reader may know of them."""
    return [event for teller in _tellers for event in teller(entity, record_id, reader, limit)]
