"""What can be imported: a port. The apps register their kinds; crm imports no app."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from crm.errors import Sentence
from crm.importing.basis import Basis
from crm.importing.columns import Columns
from crm.importing.guessing import FieldSet
from crm.importing.outcomes import RowResult
from crm.importing.table import Row

if TYPE_CHECKING:
    from crm.users.models import User


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for rows that do not say it themselves.

    city_id: their city. default_type: the type of new objects, "" for the usual one.
    """

    city_id: UUID | None = None
    default_type: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One import: who does it (None: the operator at the command line), and how rows are read."""

    actor: "User | None"
    columns: Columns
    options: Options = Options()
    basis: Basis | None = None


class Importer(Protocol):
    """An import under way. It remembers what the file said further up."""

    def plan(self, rows: Sequence[Row]) -> list[RowResult]:
        """What would become of a batch of rows, in their order. Writes and locks nothing."""

    def apply(self, rows: Sequence[Row]) -> list[RowResult]:
        """Write a batch of rows, inside the caller's transaction; what became of them, in their order."""


@dataclass(frozen=True, slots=True)
class ImportKind:
    """A kind of record that can be imported.

    begin: opens an import; what it holds (temporary files) ends with the `with`.
    types: codes and labels for Options.default_type, the usual one first.
    record: the model whose records come of it (objects.Object).
    """

    name: str
    label: Sentence
    fields: FieldSet
    begin: Callable[[Task], AbstractContextManager[Importer]]
    types: Sequence[tuple[str, Sentence]] = ()
    record: str = ""


KINDS: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> None:
    """Offer a kind of import. Registering twice is once."""
    KINDS[kind.name] = kind
