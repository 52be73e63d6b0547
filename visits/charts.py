"""Where the bars of a chart stand. What is drawn is drawn by the server, as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from django.utils import formats
from django.utils.translation import pgettext

# The drawing's own units: the browser stretches it to the card.
COLUMN: Final = 10.0
GAP: Final = 2.0
HEIGHT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One number with its bar. share: of the longest, in percent. colour: a class of visits.css."""

    label: str
    number: int
    share: str
    url: str
    colour: str
    percent: int = 0
    # Where it begins when it stands in one line with others, in percent.
    x: str = "0"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a column, in the drawing's units; `y` counts from the top."""

    label: str
    number: int
    url: str
    colour: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """One day of the chart."""

    day: date
    title: str
    tick: str
    x: str
    width: str
    url: str
    pieces: list[Piece]

    @property
    def total(self) -> int:
        return sum(piece.number for piece in self.pieces)


def share(number: int, whole: int) -> str:
    """Percent of the whole, as CSS and SVG write numbers in any language. What is there can be seen."""
    if not whole or not number:
        return "0"
    return f"{max(100 * number / whole, 0.6):.2f}"


def in_line(bars: Sequence[Bar]) -> list[Bar]:
    """The bars one after the other: parts of one whole."""
    whole, before, placed = sum(bar.number for bar in bars), 0, []
    for bar in bars:
        if bar.number:
            placed.append(replace(bar, x=f"{100 * before / whole:.2f}"))
        before += bar.number
    return placed


def columns_of(
    days: Sequence[tuple[date, str, Sequence[tuple[str, int, str, str]]]],
    *,
    top: int,
    url: Callable[..., str],
) -> list[Column]:
    """Stacked columns, left to right.

    days: day, its link, and from the ground up (label, number, colour, status).
    top: the number at the upper edge. url: the link of a piece, of (day, day, status=…).
    """
    return [
        Column(
            day=day,
            title=formats.date_format(
                day, pgettext("a day of this year, as Django's date filter", "F j")
            ),
            tick=formats.date_format(
                day, pgettext("a day under a chart, as Django's date filter", "M j")
            ),
            x=f"{place * COLUMN + GAP / 2:.1f}",
            width=f"{COLUMN - GAP:.1f}",
            url=link,
            pieces=pieces_of(
                [(*part[:3], url(day, day, status=part[3])) for part in parts], top=top
            ),
        )
        for place, (day, link, parts) in enumerate(days)
    ]


def pieces_of(parts: Sequence[tuple[str, int, str, str]], *, top: int) -> list[Piece]:
    """The parts of one column, each upon the last: label, number, colour, link."""
    pieces, below = [], 0
    for label, number, colour, link in parts:
        height = HEIGHT * number / top if top else 0.0
        y = HEIGHT - HEIGHT * (below + number) / top if top else HEIGHT
        pieces.append(Piece(label, number, link, colour, f"{y:.2f}", f"{height:.2f}"))
        below += number
    return pieces
