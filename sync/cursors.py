"""Cursors: how far a phone has come, signed and opaque.

A cursor is good for one person with one role and territory, one choice of tables, and one life of the
database. The scope is a digest of role and territory: equal scopes see alike, so coming back to an old one
needs no resync.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _

from crm.errors import CallerError, Code
from crm.users.models import User

FORMAT: Final = 1
MAX_POSITION: Final = 2**63 - 1
# Why a cursor may be refused.
REASONS: Final = (
    "format",
    "signature",
    "epoch",
    "user",
    "scope_changed",
    "tables",
    "purged",
    "ahead",
)


@cache
def signer(key: str, *earlier: str) -> Signer:
    """Signs with the key, and believes what the earlier ones have signed."""
    return Signer(key=key, fallback_keys=[*earlier], salt="sync.cursor")


def ours() -> Signer:
    """By SECRET_KEY and SECRET_KEY_FALLBACKS."""
    return signer(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


class ResyncRequired(CallerError):
    """The cursor cannot be honoured: start over without one, and keep the unsent edits."""

    status = 410
    code = Code.RESYNC_REQUIRED

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "The cursor cannot be used any more. Start over without a cursor; keep unsent edits."
            ),
            details={"reason": reason},
        )
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to and including (position, table, id) was given; without an id, all of the position.

    start: deletions below this position are not due, because the phone began empty, or no later than there.
    """

    epoch: str
    user_id: UUID
    scope: str
    tables: tuple[str, ...]
    position: int = 0
    table: int = 0
    id: UUID | None = None
    start: int = 0

    @property
    def due_from(self) -> int:
        """The phone still has to hear of the deletions above this position."""
        return max(self.position, self.start - 1)

    def encoded(self) -> str:
        """The text for the phone."""
        parts = [
            FORMAT,
            self.epoch,
            self.user_id.hex,
            self.scope,
            list(self.tables),
            self.position,
            self.table,
            self.id.hex if self.id else "",
            self.start,
        ]
        packed = json.dumps(parts, separators=(",", ":")).encode()
        return ours().sign(urlsafe_b64encode(packed).decode().rstrip("="))


def decoded(text: str) -> Cursor:
    """The cursor that the phone sent back. Raises ResyncRequired."""
    try:
        packed = ours().unsign(text)
    except BadSignature:
        raise ResyncRequired("signature" if ":" in text else "format") from None
    try:
        number, epoch, user, scope, tables, position, table, row, start = json.loads(
            urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        )
        if number != FORMAT or not all(is_position(one) for one in (position, table, start)):
            raise ResyncRequired("format")
        return Cursor(
            epoch=epoch,
            user_id=UUID(user),
            scope=scope,
            tables=tuple(tables),
            position=position,
            table=table,
            id=UUID(row) if row else None,
            start=start,
        )
    except (ValueError, TypeError):
        # Signed by us, but by another version of us.
        raise ResyncRequired("format") from None


def is_position(value: object) -> bool:
    """Whether the databases can count that far."""
    return isinstance(value, int) and 0 <= value <= MAX_POSITION


def scope_of(user: User) -> str:
    """A digest of what decides what the person sees, and how."""
    parts = (user.role, user.city_id, user.district_id)
    return sha256("/".join(str(part) for part in parts).encode()).hexdigest()[:12]


def check(cursor: Cursor, *, user: User, epoch: str, tables: tuple[str, ...], purged: int) -> None:
    """Raise ResyncRequired unless the cursor is good for this pull."""
    mismatches = (
        ("epoch", cursor.epoch != epoch),
        ("user", cursor.user_id != user.pk),
        ("scope_changed", cursor.scope != scope_of(user)),
        ("tables", cursor.tables != tables),
        ("purged", cursor.due_from < purged),
    )
    for reason, differs in mismatches:
        if differs:
            raise ResyncRequired(reason)
