"""Hears what a server would write to its log, as it would write it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm.logs import JSONLines, TextLines


class Listener(logging.Handler):
    """Every line of every logger, in both formats."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []
        self.text: list[str] = []
        self.json: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # Django's own SQL log is for debugging: a server never has it on.
        if record.name != "django.db.backends":
            self.json.append(JSONLines().format(record))
            self.text.append(TextLines().format(record))
            self.records.append(json.loads(self.json[-1]))

    def of(self, logger: str) -> list[dict[str, Any]]:
        """The lines of that logger."""
        return [line for line in self.records if line["logger"] == logger]


@contextmanager
def listening(level: int = logging.INFO) -> Iterator[Listener]:
    """What is logged in the block, from that level on."""
    listener, root = Listener(), logging.getLogger()
    before = root.level
    root.addHandler(listener)
    root.setLevel(level)
    try:
        yield listener
    finally:
        root.setLevel(before)
        root.removeHandler(listener)
