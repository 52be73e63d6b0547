"""The file that tells a person which rows were left out, and why."""

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Self

from django.utils.translation import gettext as _

from crm.importing.cells import harmless
from crm.importing.rows import RowProblem


class ErrorsFile:
    """FILE.errors.csv next to the file, or in the current folder where that cannot be written to.

    It repeats each row that was left out, behind its line number and what is wrong with it, so that
    it can be mended and imported itself. Written aside and put in place by `keep()`, so that an
    import that fails leaves neither half a file nor a wrong one.
    """

    def __init__(self, source: Path, header: Sequence[str]) -> None:
        self._name = f"{source.name}.errors.csv"
        self._folders = [source.parent, Path.cwd()]
        self._header = header
        self._file: IO[str] | None = None
        self._writer: Any = None
        self.path: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)

    def add(self, problem: RowProblem) -> None:
        """Write one row down."""
        if self._writer is None:
            self._file = self._open()
            self._writer = csv.writer(self._file, delimiter=";", lineterminator="\r\n")
            self._write([_("line"), _("problem"), *self._header])
        self._write([str(problem.line), " ".join(problem.sentences), *problem.row.cells])

    def keep(self) -> Path | None:
        """Put the file in place, or remove an older one when there is nothing to tell."""
        if self._file is None:
            for folder in self._folders:
                (folder / self._name).unlink(missing_ok=True)
            return None
        self._file.close()
        written = Path(self._file.name)
        self.path = written.replace(written.parent / self._name)
        self._file = None
        return self.path

    def _open(self) -> IO[str]:
        for folder in self._folders:
            try:
                return tempfile.NamedTemporaryFile(
                    "w",
                    dir=folder,
                    prefix=".import-",
                    suffix=".csv",
                    encoding="utf-8-sig",
                    newline="",
                    delete=False,
                )
            except OSError:
                continue
        raise OSError(_("The list of errors cannot be written anywhere."))

    def _write(self, cells: Sequence[str]) -> None:
        self._writer.writerow([harmless(cell) for cell in cells])
