"""The cards of the home page. Each app registers its own; a card is a template and what it needs.

@dashboard.card(template="visits/cards/today.html", order=10, width=dashboard.WIDE)
def visits_today(request) -> dict | None: ...   # None: nothing for this person
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

Facts = Callable[[HttpRequest], dict[str, Any] | None]

# Of twelve columns on a wide screen; on a phone each card has the whole width.
NARROW: Final = 3
HALF: Final = 6
WIDE: Final = 12


@dataclass(frozen=True, slots=True)
class Card:
    """One card, with its place."""

    template: str
    order: int
    width: int
    facts: Facts


_cards: list[Card] = []


def card(*, template: str, order: int = 100, width: int = HALF) -> Callable[[Facts], Facts]:
    """Put what the function tells onto the home page, in this template (`card` is its context)."""

    def put(facts: Facts) -> Facts:
        _cards.append(Card(template, order, width, facts))
        return facts

    return put


def cards_for(request: HttpRequest) -> list[dict[str, Any]]:
    """The cards with their facts, in order."""
    shown = []
    for one in sorted(_cards, key=lambda card: card.order):
        facts = one.facts(request)
        if facts is not None:
            shown.append({"template": one.template, "width": one.width, "facts": facts})
    return shown
