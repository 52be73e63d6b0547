"""Report files: rows in, a whole file on the local disk out, or none."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

from reports.columns import Column
from reports.writers.batches import Progress
from reports.writers.delimited import write_csv
from reports.writers.xlsx import write_xlsx

__all__ = ["FORMATS", "write"]


class Writer(Protocol):
    """Writes one format; the meaning stands at `write`."""

    def __call__(
        self,
        path: Path,
        *,
        title: str,
        columns: Sequence[Column],
        rows: Iterator[Sequence[Any]],
        language: str,
        raw: bool,
        progress: Progress,
    ) -> None: ...


WRITERS: Final[dict[str, Writer]] = {"xlsx": write_xlsx, "csv": write_csv}
FORMATS: Final = tuple(WRITERS)


def write(
    path: str | Path,
    *,
    format: str,  # noqa: A002 - the API's word
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    language: str,
    raw: bool,
    progress: Callable[[int], None],
) -> int:
    """Write the rows to a file at `path` ("xlsx" or "csv") and return how many they were.

    The header is in `language`; with `raw` it is the columns' keys. `progress` gets the number of rows so
    far, at least every 0.3 seconds while rows come, and once at the end. Whatever it raises, or the rows
    raise, or the disk, is raised here, and leaves no file. An iterator of rows is closed in any case. Memory
    does not grow with the rows. Raises KeyError for another format.
    """
    writer, target = WRITERS[format], Path(path)
    counted = Progress(progress)
    with closing(_closable(rows)) as given:
        try:
            writer(
                target,
                title=title,
                columns=columns,
                rows=given,
                language=language,
                raw=raw,
                progress=counted,
            )
            counted.finish()
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return counted.rows


def _closable(rows: Iterable[Sequence[Any]]) -> Any:
    """The rows as an iterator that can be closed, and closes what it reads from."""
    if hasattr(rows, "close"):
        return rows
    return (row for row in rows)
