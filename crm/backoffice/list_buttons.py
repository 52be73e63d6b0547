"""Buttons above a list that a higher floor adds to a lower floor's: reports export every list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from crm.errors import Sentence

Address = Callable[[HttpRequest], str]


@dataclass(frozen=True, slots=True)
class Button:
    """icon: a name of Material Symbols. url(request): where to, from the list as it is narrowed."""

    title: Sentence
    icon: str
    url: Address


_buttons: dict[type[Any], list[Button]] = {}


def add(model: type[Any], button: Button) -> None:
    """Put a button above that model's list."""
    _buttons.setdefault(model, []).append(button)


def buttons_of(model: type[Any], request: HttpRequest) -> list[tuple[Button, str]]:
    """The buttons of a list with their addresses."""
    return [(one, one.url(request)) for one in _buttons.get(model, [])]
