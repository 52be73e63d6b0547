"""Rows of a dry run or a run as a CSV file that a person opens in a spreadsheet."""

import csv
from collections.abc import Sequence
from typing import IO, Any

from django.utils.translation import gettext as _

from crm.importing.cells import harmless
from crm.importing.outcomes import Outcome, RowResult

MARK = "\ufeff"  # tells a spreadsheet that the file is UTF-8


class ReportFile:
    """Writes rows into a text file (opened with newline=""): line, outcome, what changed, what is wrong.

    The row's own cells stand behind, so that what was left out can be mended and imported again.
    `only`: the outcomes that are written; all of them unless told otherwise.
    """

    def __init__(
        self, file: IO[str], header: Sequence[str], *, only: Sequence[Outcome] = tuple(Outcome)
    ) -> None:
        self._writer: Any = csv.writer(file, delimiter=";", lineterminator="\r\n")
        self._only = frozenset(only)
        file.write(MARK)
        self._write([_("line"), _("result"), _("changes"), _("problem"), *header])

    def add(self, row: RowResult) -> None:
        """Write one row down."""
        if row.outcome in self._only:
            changes = "\n".join(map(str, row.changes))
            sentences = " ".join(map(str, row.sentences))
            self._write([str(row.line), str(row.outcome.label), changes, sentences, *row.cells])

    def _write(self, cells: Sequence[str]) -> None:
        self._writer.writerow([harmless(cell) for cell in cells])
