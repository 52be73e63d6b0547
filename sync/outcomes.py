"""What a push answers for each item."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from crm.errors import CallerError, Duplicate, Forbidden, Invalid
from sync.batch import Item


class Status(StrEnum):
    """What became of an item."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    CONFLICT = "conflict"
    ERROR = "error"


APPLIED = {Status.CREATED, Status.UPDATED, Status.DELETED}


class ItemCode(StrEnum):
    """Reasons that only items have; the others are the API's (crm.errors.Code)."""

    DELETED = "DELETED"
    DEPENDENCY_FAILED = "DEPENDENCY_FAILED"


class ItemRefused(CallerError):
    """A refusal with a code of its own."""

    item_code: ItemCode


class RecordDeleted(ItemRefused):
    """The record was deleted while the caller could see it; it is never made anew."""

    item_code = ItemCode.DELETED

    def __init__(self) -> None:
        super().__init__(_("The record has been deleted."))


class DependencyFailed(ItemRefused):
    """What the item needs was refused in the same batch."""

    item_code = ItemCode.DEPENDENCY_FAILED

    def __init__(self) -> None:
        super().__init__(_("An item that this one depends on could not be applied."))


@dataclass
class Outcome:
    """One item's result.

    written: the version that the item itself produced; None when nothing had to be written.
    """

    status: Status
    server_version: int | None = None
    known: bool = True
    written: int | None = None
    replayed: bool = False
    error: CallerError | None = None
    diff: dict[str, Any] | None = None
    ignored: list[str] = field(default_factory=list)

    def stored(self) -> dict[str, Any]:
        """What a receipt keeps of it."""
        return {
            "status": str(self.status),
            "server_version": self.server_version,
            "written": self.written,
            "ignored": self.ignored,
        }

    @classmethod
    def replay(cls, stored: dict[str, Any]) -> "Outcome":
        """The outcome that a receipt keeps."""
        return cls(
            Status(stored["status"]),
            stored["server_version"],
            written=stored["written"],
            replayed=True,
            ignored=stored["ignored"],
        )

    def shown(self, item: Item) -> dict[str, Any]:
        """The result as the phone gets it; every key is always there."""
        error = self.error
        existing = error.existing_id if isinstance(error, Duplicate) else None
        return {
            "client_generated_id": item.name,
            "server_id": str(item.id) if self.known else None,
            "status": str(self.status),
            "server_version": self.server_version,
            "replayed": self.replayed,
            "error_code": None if error is None else code_of(error),
            "error_message": None if error is None else str(error.message),
            "fields": None if error is None else fields_of(error),
            "diff": self.diff,
            "resolution_hints": None if self.diff is None else self.diff["resolution_hints"],
            "existing_id": None if existing is None else str(existing),
            "ignored_fields": self.ignored,
        }


def code_of(error: CallerError) -> str:
    """The code that clients branch on."""
    return str(error.item_code if isinstance(error, ItemRefused) else error.code)


def fields_of(error: CallerError) -> dict[str, list[str]] | None:
    """Field → sentences, where the error is about fields."""
    sentence = str(error.message)
    if isinstance(error, Invalid):
        return {name: [str(one) for one in said] for name, said in error.fields.items()}
    if isinstance(error, Duplicate):
        return {error.field: [sentence]}
    if isinstance(error, Forbidden) and "fields" in error.details:
        return {name: [sentence] for name in error.details["fields"]}
    return None
