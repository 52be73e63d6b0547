"""Identifiers: UUID version 7 (RFC 9562), so that new rows land next to each other in every index."""

from uuid import UUID

import uuid_utils.compat


def uuid7() -> UUID:
    """A new time-ordered identifier, as the standard library's own type."""
    return uuid_utils.compat.uuid7()
