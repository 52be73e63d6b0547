"""What the trail stores instead of personal data and secrets: masks, for every reader alike."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from crm.changes import plain
from crm.editing import MASKS
from crm.masking import MASK, is_masked, mask_email, mask_phone

Mask = Callable[[str | None], str | None]

# A whole number or address is hidden wherever it stands: in a note, a search, the name of a client.
_PHONE: Final = re.compile(r"\+[0-9]{7,15}(?![0-9])")
_EMAIL: Final = re.compile(r"[^\s@*<>\"'(),:;]+@[^\s@*<>\"'(),:;]+\.[^\s@*<>\"'(),:;]+")
_TOKEN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
# What may stand at the beginning of one of these, and what not every engine can store.
_ODD: Final = re.compile("[+@\\x00\\ud800-\\udfff]|eyJ")
_NOTHING: Final = object()
# Facts under such names are nobody's business, whatever they hold.
_SECRET: Final = re.compile(r"password|token|secret|authorization", re.IGNORECASE)


def masked(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The facts as they may be kept for ever, to any depth."""
    return None if facts is None else _of_dict(facts, None)


def masked_sides(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both sides of a change, masked. What stays, most of it in an edit, is looked through once."""
    first = masked(before)
    if before is None or first is None or after is None:
        return first, masked(after)
    second: dict[str, Any] = {}
    for name, value in after.items():
        # The same object, not an equal one: True is 1 to Python. A name that is not there was scrubbed.
        if name in first and value is before.get(name, _NOTHING):
            second[name] = first[name]
        else:
            second.update(_of_dict({name: value}, None))
    return first, second


def scrubbed(text: str) -> str:
    """Text without whole phones, e-mail addresses and tokens, as both engines can store it."""
    if not _ODD.search(text):
        return text
    if "+" in text:
        text = _PHONE.sub(lambda found: mask_phone(found[0]) or "", text)
    if "@" in text:
        text = _EMAIL.sub(lambda found: mask_email(found[0]) or "", text)
    if "eyJ" in text:
        text = _TOKEN.sub(MASK, text)
    # PostgreSQL's text holds neither NUL nor half of a surrogate pair.
    if "\x00" not in text:
        with suppress(UnicodeEncodeError):
            text.encode()
            return text
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


@lru_cache(maxsize=4096)
def _key(name: str) -> tuple[str, bool, Mask | None]:
    """A fact's name as it may be kept, whether it is a secret's, and its mask."""
    return scrubbed(name), _SECRET.search(name) is not None, MASKS.get(name.lower())


def _of_dict(facts: Mapping[str, Any], outer: Mask | None) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in facts.items():
        key, secret, mask = _key(str(name))
        if value is None or value is True or value is False:
            kept[key] = value
        else:
            kept[key] = MASK if secret else _of_value(value, mask or outer)
    return kept


def _of_value(value: Any, mask: Mask | None) -> Any:
    if isinstance(value, str):
        return mask(value) if mask and not is_masked(value) else scrubbed(value)
    if isinstance(value, Mapping):
        return _of_dict(value, mask)
    if isinstance(value, list | tuple | set | frozenset):
        return [_of_value(each, mask) for each in value]
    return plain(value)
