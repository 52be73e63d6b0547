"""What an input refers to: other rows, looked up in what the caller may see."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from crm.db.among import among
from crm.errors import Invalid

if TYPE_CHECKING:
    from crm.users.models import User

M = TypeVar("M", bound=models.Model)


def referable(model: type[M], actor: "User") -> "models.QuerySet[M]":
    """The rows that the actor may refer to: visible and, of people, active."""
    rows: Any = model._default_manager.all()
    if hasattr(rows, "visible_to"):
        rows = rows.visible_to(actor)
    if hasattr(rows, "active"):
        rows = rows.active()
    return cast("models.QuerySet[M]", rows)


class References:
    """Rows that one caller's input refers to, each looked up once.

    A batch fetches them all beforehand (`fetch`) and adds what it creates (`put`); whoever edits one record
    lets `find` ask. The rules are the same either way.
    """

    def __init__(self, actor: "User") -> None:
        self.actor = actor
        self._found: dict[type[models.Model], dict[UUID, models.Model | None]] = {}

    def fetch(self, model: type[models.Model], ids: Iterable[UUID]) -> None:
        """Look up many in one query."""
        known = self._found.setdefault(model, {})
        missing = {one for one in ids if one not in known}
        if missing:
            known.update(dict.fromkeys(missing))
            known.update(
                {row.pk: row for row in referable(model, self.actor).filter(among("pk", missing))}
            )

    def admit(
        self, model: type[M], ids: Iterable[UUID], *, held: Mapping[UUID, models.Model]
    ) -> None:
        """The same of rows that the caller holds, locked: only asks which of them may be referred to."""
        known = self._found.setdefault(model, {})
        missing = {one for one in ids if one not in known}
        if missing:
            known.update(dict.fromkeys(missing))
            seen = referable(model, self.actor).filter(among("pk", missing & held.keys()))
            known.update({pk: held[pk] for pk in seen.values_list("pk", flat=True)})

    def put(self, record: models.Model) -> None:
        """Take a row as seen: the caller has just made it, or holds it."""
        self._found.setdefault(type(record), {})[record.pk] = record

    def drop(self, model: type[models.Model], record_id: UUID) -> None:
        """Take a row as gone."""
        self._found.setdefault(model, {})[record_id] = None

    def find(self, model: type[M], record_id: UUID | None) -> M | None:
        """The row, or None when the caller may not refer to it."""
        if record_id is None:
            return None
        known = self._found.setdefault(model, {})
        if record_id not in known:
            known[record_id] = referable(model, self.actor).filter(pk=record_id).first()
        return cast("M | None", known[record_id])

    def check(self, model: type[M], record_id: UUID | None, *, field: str) -> M | None:
        """The row that an input's field names; None when it names none.

        Raises Invalid: what lies outside is no different from what does not exist.
        """
        found = self.find(model, record_id)
        if found is None and record_id is not None:
            raise Invalid({field: _("There is no such record, or you cannot see it.")})
        return found

    def require(self, model: type[M], record_id: UUID | None, *, field: str) -> M:
        """The same, of a field that must name one."""
        found = self.check(model, record_id, field=field)
        if found is None:
            raise Invalid({field: _("This field is required.")})
        return found
