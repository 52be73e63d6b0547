"""Passwords: one hash verified per attempt, and the rules for new ones."""

from functools import cache
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import check_password, is_password_usable, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.crypto import get_random_string

from crm.errors import Invalid

if TYPE_CHECKING:
    from crm.users.models import User

# Longer ones are no passwords but an attempt to keep the hash busy.
MAX_PASSWORD = 1024


@cache
def decoy() -> str:
    """A hash that nothing matches, as costly to verify as a real one."""
    return make_password(get_random_string(32))


def verified(user: "User | None", password: str) -> tuple[bool, str | None]:
    """Whether that is the password of this active person; and a stronger hash, when theirs is outdated.

    Exactly one hash is verified, whoever it is: the time tells nothing about the account.
    """
    # Made before anybody is looked at: it takes time once in the life of a process.
    encoded = decoy()
    if user is not None and is_password_usable(user.password):
        encoded = user.password
    stronger: list[str] = []
    matches = check_password(
        password, encoded, setter=lambda raw: stronger.append(make_password(raw))
    )
    if not matches or user is None or not user.is_active:
        return False, None
    return True, stronger[0] if stronger else None


def hash_of(password: str, *, user: "User | None", field: str = "password") -> str:
    """The hash of a new password for `user`. Raises Invalid with what is wrong with it, under `field`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid({field: error.messages}) from error
    return make_password(password)
