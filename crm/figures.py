"""Figures of the running installation: what /metrics tells. Apps declare theirs; nothing here knows of them.

    PUSHES = Counter("crm_sync_pushes_total", "Pushes answered.")
    ITEMS = Counter("crm_sync_push_items_total", "Items of pushes.", outcome=("created", "updated"))
    EXPORTS = Histogram("crm_export_seconds", "How long an export takes.", (1, 10, 60), format=())
    Gauge("crm_jobs_waiting", "Jobs that wait for a worker.", waiting_by_queue, label="queue")

    PUSHES.add(); ITEMS.add(3, outcome="created"); EXPORTS.observe(2.5, format="csv")

Names and kinds are Prometheus's (https://prometheus.io/docs/practices/naming/). Values of labels come from
the code, never from a request: each is a row of its own for ever. Where counts live: `crm.tally`.
"""

import json
import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal

from django.db import DatabaseError, InterfaceError
from redis.exceptions import RedisError

from crm import tally
from crm.tally import Number

NAME: Final = re.compile(r"crm_[a-z][a-z0-9_]*")
AWAY: Final = (DatabaseError, InterfaceError, RedisError, OSError)

Kind = Literal["counter", "gauge", "histogram"]
Labels = dict[str, str]
Totals = Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. suffix: what its name has beyond the figure's (parts of a histogram)."""

    labels: Labels
    value: Number
    suffix: str = ""


class Figure(ABC):
    """Something that can be told. Its name belongs to it alone (ValueError)."""

    kind: Kind

    def __init__(self, name: str, what: str) -> None:
        if not NAME.fullmatch(name) or name in _figures:
            raise ValueError(f"{name} is taken, or no name for a figure.")
        self.name, self.what = name, what
        _figures[name] = self

    @abstractmethod
    def samples(self, totals: Totals | None) -> list[Sample]:
        """The numbers now; none when nobody can tell."""


_figures: dict[str, Figure] = {}


class Counted(Figure):
    """What happened so often. known: label → the values that are told even before they happen."""

    def __init__(self, name: str, what: str, **known: Iterable[str]) -> None:
        super().__init__(name, what)
        self.known = {label: tuple(values) for label, values in known.items()}

    def field(self, labels: Labels, part: str = "") -> str:
        """The name under which it is counted, which begins with the figure's own.

        Raises ValueError for other labels than its own.
        """
        if labels.keys() != self.known.keys():
            raise ValueError(f"{self.name} has the labels {', '.join(self.known) or '(none)'}.")
        return json.dumps([self.name, part, *(labels[name] for name in self.known)])

    def counted(self, totals: Totals) -> Iterator[tuple[str, Labels, Number]]:
        """Part, labels and number of everything that was counted, and of what is known beforehand."""
        found = dict(totals)
        for values in product(*self.known.values()):
            found.setdefault(self.field(dict(zip(self.known, values, strict=True))), 0)
        for field, number in sorted(found.items()):
            name, part, *values = json.loads(field)
            # Counts of a version with other labels may still lie in Redis.
            if name == self.name and len(values) == len(self.known):
                yield part, dict(zip(self.known, values, strict=True)), number


class Counter(Counted):
    """A number that only grows. Its name ends in `_total`."""

    kind = "counter"

    def add(self, number: int = 1, **labels: str) -> None:
        """It happened so many times more."""
        tally.add(self.field(labels), number)

    def samples(self, totals: Totals | None) -> list[Sample]:
        if totals is None:
            return []
        return [Sample(labels, number) for _part, labels, number in self.counted(totals)]


class Histogram(Counted):
    """How a quantity is spread: how many times it was at most each of the bounds."""

    kind = "histogram"

    def __init__(
        self, name: str, what: str, bounds: Iterable[Number], **known: Iterable[str]
    ) -> None:
        super().__init__(name, what, **known)
        self.bounds = [*(f"{bound:g}" for bound in sorted(bounds)), "+Inf"]

    def observe(self, value: float, **labels: str) -> None:
        """It was so much, once."""
        tally.add_all(self.series(**labels)(value))

    def series(self, **labels: str) -> Callable[[float], tuple[tuple[str, Number], ...]]:
        """For those labels: value → what to count for it. Worth keeping by whoever counts all the time."""
        bounds = [float(bound) for bound in self.bounds]
        fields = [self.field(labels, bound) for bound in self.bounds]
        total = self.field(labels, "sum")

        def counts(value: float) -> tuple[tuple[str, Number], ...]:
            return ((fields[bisect_left(bounds, value)], 1), (total, float(value)))

        return counts

    def samples(self, totals: Totals | None) -> list[Sample]:
        series: dict[tuple[str, ...], tuple[Labels, dict[str, Number]]] = {}
        for part, labels, number in self.counted(totals or {}):
            parts = series.setdefault(tuple(labels.values()), (labels, {}))[1]
            parts[part] = number
        found = []
        for labels, parts in series.values() if totals is not None else ():
            count: Number = 0
            for bound in self.bounds:
                count += parts.get(bound, 0)
                found.append(Sample({**labels, "le": bound}, count, "_bucket"))
            found.append(Sample(labels, parts.get("sum", 0), "_sum"))
            found.append(Sample(labels, count, "_count"))
        return found


Told = Number | None | Mapping[str, Number]


class Gauge(Figure):
    """A number that is asked for when somebody looks.

    ask: gives the number, or with `label` a number for each of its values; None when nobody can tell. It runs
    at each look and must be cheap. What is away (database, Redis) leaves the figure out.
    """

    kind = "gauge"

    def __init__(self, name: str, what: str, ask: Callable[[], Told], *, label: str = "") -> None:
        super().__init__(name, what)
        self.ask, self.label = ask, label

    def samples(self, totals: Totals | None) -> list[Sample]:
        try:
            told = self.ask()
        except AWAY:
            return []
        if isinstance(told, Mapping):
            return [Sample({self.label: value}, number) for value, number in told.items()]
        return [] if told is None else [Sample({}, told)]


Read = list[tuple[Figure, list[Sample]]]


def read() -> Read:
    """Every figure with its numbers now, by name."""
    totals = tally.totals()
    if totals is None:
        return [(figure, figure.samples(None)) for _name, figure in sorted(_figures.items())]
    own: dict[str, dict[str, Number]] = {}
    for field, number in totals.items():
        # A JSON list that begins with the name.
        own.setdefault(field.split('"', 2)[1], {})[field] = number
    return [
        (figure, figure.samples(own.get(name, {}))) for name, figure in sorted(_figures.items())
    ]


def as_text(figures: Read) -> str:
    """Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    lines = []
    for figure, samples in figures:
        if samples:
            what = figure.what.replace("\\", r"\\").replace("\n", r"\n")
            lines.append(f"# HELP {figure.name} {what}\n# TYPE {figure.name} {figure.kind}\n")
        lines += [
            f"{figure.name}{sample.suffix}{braced(sample.labels)} {sample.value}\n"
            for sample in samples
        ]
    return "".join(lines)


def braced(labels: Labels) -> str:
    """Labels as the text format writes them."""
    escaped = {ord("\\"): r"\\", ord('"'): r"\"", ord("\n"): r"\n"}
    inside = ",".join(f'{name}="{value.translate(escaped)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def as_json(figures: Read) -> dict[str, Any]:
    """Name → number, or a list of labels with their `value`. A histogram's buckets are left to Prometheus."""
    found: dict[str, Any] = {}
    for figure, samples in figures:
        for sample in samples:
            name = f"{figure.name}{sample.suffix}"
            if sample.suffix == "_bucket":
                continue
            if sample.labels:
                found.setdefault(name, []).append({**sample.labels, "value": sample.value})
            else:
                found[name] = sample.value
    return found
