"""What an engineer sees of phones and e-mail addresses.

`crm.db` has the same rules in SQL, tested to be equal.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Final, Literal

from django.utils.translation import gettext as _

MASK: Final = "***"
_RUSSIAN: Final = re.compile(r"\+7[0-9]{10}")
_FOREIGN: Final = re.compile(r"\+[0-9]{7,15}")
# Characters of the part before the @ that stay readable; fewer where the part itself is as short.
SHOWN: Final = 2


class MaskedValue(ValueError):
    """A value with `*` that is not the mask of what is stored. The message is a translated sentence."""

    def __init__(self) -> None:
        super().__init__(
            _("A masked value cannot be saved: enter the whole value or leave the field out.")
        )


class Unchanged(Enum):
    """The type of UNCHANGED."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


def mask_phone(phone: str | None) -> str | None:
    """`+79123456789` → `+7 (***) ***-**89`, of another country → `+** (***) ***-**89`; None and '' stay.

    Every `+7` with ten more digits counts as Russian: Kazakhstan shares the code, and telling it apart
    would show one more digit. What is no E.164 number shows nothing.
    """
    if not phone:
        return phone
    if _RUSSIAN.fullmatch(phone):
        return f"+7 (***) ***-**{phone[-2:]}"
    if _FOREIGN.fullmatch(phone):
        return f"+** (***) ***-**{phone[-2:]}"
    return MASK


def mask_email(email: str | None) -> str | None:
    """`ivan@example.com` → `iv***@example.com`; None and '' stay.

    The part before the last `@` is never shown whole (`iv@…` → `i***@…`, `i@…` → `***@…`); without `@`
    nothing is shown.
    """
    if not email:
        return email
    local, at, domain = email.rpartition("@")
    if not at:
        return MASK
    return f"{local[: max(0, min(SHOWN, len(local) - 1))]}{MASK}@{domain}"


def is_masked(value: object) -> bool:
    """Whether a value that came in is (or pretends to be) a mask: text with `*`."""
    return isinstance(value, str) and "*" in value


def unmask_input(
    sent: str | None, stored: str | None, mask: Callable[[str | None], str | None]
) -> str | Literal[Unchanged.UNCHANGED] | None:
    """What a masked field's input means: UNCHANGED when it is the mask of `stored`, else the value itself.

    Raises MaskedValue for any other value with `*`, so that a mask never overwrites what it hides.
    """
    if not is_masked(sent):
        return sent
    if sent == mask(stored):
        return UNCHANGED
    raise MaskedValue
