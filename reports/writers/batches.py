"""Rows in batches, and the word that a writer gives while it works."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

# A column of a batch is worked at a time: enough to make the fixed costs small, and little enough to hold.
BATCH: Final = 500
INTERVAL: Final = 0.25


class Progress:
    """Counts the rows that are written, and tells of them every quarter of a second."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self.rows = 0
        self._tell = tell
        self._due = time.monotonic() + INTERVAL

    def tick(self) -> None:
        """Tell, if it is time. Raises whatever the listener raises: that is how a report is stopped."""
        if time.monotonic() >= self._due:
            self._tell(self.rows)
            self._due = time.monotonic() + INTERVAL

    def finish(self) -> None:
        """Tell the final number."""
        self._tell(self.rows)


def batches(
    rows: Iterator[Sequence[Any]], progress: Progress, limit: int | None = None
) -> Iterator[list[Sequence[Any]]]:
    """The rows (at most `limit`) in batches. Counting them, once they are written, is the writer's part."""
    left = limit
    while left is None or left > 0:
        batch = []
        for row in islice(rows, BATCH if left is None else min(BATCH, left)):
            batch.append(row)
            # For each row: they may come slowly.
            progress.tick()
        if not batch:
            return
        yield batch
        if left is not None:
            left -= len(batch)
