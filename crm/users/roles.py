"""Roles, and the scopes that each role carries in its tokens."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a person is in the company."""

    ADMIN = "ADMIN", _("administrator")
    SUPERVISOR = "SUPERVISOR", _("supervisor")
    ENGINEER = "ENGINEER", _("engineer")

    @property
    def rank(self) -> int:
        """Higher may do more; nobody hands out a rank above their own."""
        return {Role.ENGINEER: 1, Role.SUPERVISOR: 2, Role.ADMIN: 3}[self]


_FIELD_WORK = [
    "objects:read",
    "objects:write",
    "visits:read",
    "visits:write",
    "customers:read",
    "customers:write",
]

SCOPES: dict[str, list[str]] = {
    Role.ENGINEER: _FIELD_WORK,
    Role.SUPERVISOR: [
        *_FIELD_WORK,
        "users:read",
        "users:write",
        "reports:read",
        "reports:write",
        "audit:read",
    ],
    Role.ADMIN: [
        "admin:*",
        *_FIELD_WORK,
        "users:read",
        "users:write",
        "reports:read",
        "reports:write",
        "audit:read",
    ],
}


def scopes_of(role: str) -> list[str]:
    """The scopes of a role, in a stable order; empty for an unknown one."""
    return list(SCOPES.get(role, []))
