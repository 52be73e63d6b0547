"""Reports as files: from the database through the writer to a file in the storage.

Raw is the same statement read and thrown away. `tests/benchmarks/export.py` measures more of the same.
"""

import os
from functools import partial

from tests.benchmarks.ground import Ground
from tests.benchmarks.work import Work, by_hand

MOST = 100_000


def works(ground: Ground) -> list[Work]:
    """The rows of this kind."""
    from objects.models import Object
    from tests.benchmarks.export import Report

    os.environ["CRM_BENCHMARK_FILES"] = str(ground.directory / "files")
    count = min(MOST, Object.objects.live().count())
    found = []
    for format_ in ("xlsx", "csv"):
        report = Report(format_)
        found.append(
            Work(
                f"export of {count:,} objects × 12 columns, {format_}",
                by_hand(partial(report.export, count)),
                raw=by_hand(partial(report.read_alone, count)),
                per=count,
            )
        )
    return found
