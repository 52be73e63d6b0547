"""Rows on their way: in batches, and those that were left out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crm.importing.table import Row

# Characters of a batch: rows may be a hundred times as long as people write them.
_MOST_TEXT = 2_000_000


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that was left out, and why: sentences for a person."""

    row: Row
    sentences: Sequence[str]

    @property
    def line(self) -> int:
        """Where the row stands in the file."""
        return self.row.line


def in_batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of up to `size` rows; of fewer, where rows are monstrously long."""
    batch: list[Row] = []
    text = 0
    for row in rows:
        batch.append(row)
        text += sum(map(len, row.cells))
        if len(batch) == size or text > _MOST_TEXT:
            yield batch
            batch, text = [], 0
    if batch:
        yield batch
