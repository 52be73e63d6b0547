"""What the database said when it refused a write, the same on both engines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["unique", "check", "foreign_key", "not_null", "guard"]

_COLUMN: Final = re.compile(r'^(?:\w+\()*\(*"?(\w+)"?')


@dataclass(frozen=True, slots=True)
class Violation:
    """A refused write.

    kind: the sort of rule. A guard is a trigger that refuses.
    name: the constraint's or guard's name, None where the engine does not tell (see the engine's module).
    columns: the columns that clash or are missing, without the table; empty where the engine does not tell.
    """

    kind: Kind
    name: str | None = None
    columns: tuple[str, ...] = ()


def bare_columns(written: Sequence[str]) -> tuple[str, ...]:
    """The columns of an index as an engine prints them: `lower(email::text)` and `"t"."email"` are email."""
    matches = (_COLUMN.match(part.strip().rpartition(".")[2]) for part in written)
    return tuple(match.group(1) for match in matches if match)
