"""The actions that there are. Each app registers its own in its admin.py; nothing here knows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm.backoffice.bulk.forms import BulkForm
from crm.editing_many import Bases, Tally
from crm.errors import Sentence
from crm.records import Record
from crm.users.models import User


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of a job's rows.

    actor: as they are now. params: what the form kept. job: new records may take their ids from it.
    """

    job: UUID
    actor: User
    params: Mapping[str, Any]
    bases: Bases


def everybody(_user: User) -> bool:
    """Whoever is let into the back office."""
    return True


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One action on many rows of a list.

    name: app.action, stored in jobs. title: in the list's box. form: what it asks for.
    work: does a batch, inside the one transaction of it.
    says(params, reader): what will be done, as a sentence without the number.
    deleted: its rows are tombstones. danger: the button is red.
    batch: so many rows in one transaction; for those that take others along, fewer.
    """

    name: str
    model: type[Record]
    title: Sentence
    work: Callable[[Batch], Tally]
    form: type[BulkForm] = BulkForm
    explains: Sentence = ""
    allowed: Callable[[User], bool] = everybody
    deleted: bool = False
    danger: bool = False
    batch: int = 500
    button: Sentence = ""


_actions: dict[str, BulkAction] = {}


def add(action: BulkAction) -> None:
    """Put an action into the box of its model's list. The last one of a name counts."""
    _actions[action.name] = action


def action_of(name: str) -> BulkAction:
    """The action of that name. Raises KeyError for one that is not there any more."""
    return _actions[name]


def actions_of(model: type[Any], user: User, *, deleted: bool) -> list[BulkAction]:
    """What that person can do to rows of the model's list."""
    return [
        one
        for one in _actions.values()
        if one.model is model and one.deleted == deleted and one.allowed(user)
    ]
