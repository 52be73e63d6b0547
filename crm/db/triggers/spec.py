"""What the triggers of one table keep: the engine-neutral description from which both dialects are generated.

SQL fragments are written once, in the common subset of both engines, with NEW and OLD for the row. Where the
dialects differ, a fragment is a `Dialects` pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dialects:
    """The same meaning in the two dialects."""

    postgresql: str
    sqlite: str


Fragment = str | Dialects


@dataclass(frozen=True)
class Guard:
    """A write is refused when `refuse_when` holds.

    `columns` narrows an update guard to statements that change one of them. `on` lists the events.
    """

    name: str
    refuse_when: Fragment
    columns: Sequence[str] = ()
    on: Sequence[str] = ("INSERT", "UPDATE")


@dataclass(frozen=True)
class KeptTable:
    """One table and what its triggers keep.

    versioned: columns whose change raises `version` and is noted in `field_versions`.
    kept: columns of the server whose change moves `updated_at` and the feed position only.
    derived: those of `kept` that only other triggers may move; a direct write is ignored.
    fills: column → expression over NEW that replaces what was written (for example a missing time).
    search: SQL expressions whose words make up `search_text`; `search_columns`: what they depend on.
    json_columns: compared as JSON, not as text.
    sqlite_after_insert, sqlite_after_update: statements that follow a kept row in SQLite's trigger body
    (on PostgreSQL they are triggers of their own).
    """

    table: str
    versioned: Sequence[str]
    kept: Sequence[str] = ()
    derived: Sequence[str] = ()
    fills: dict[str, Fragment] = field(default_factory=dict)
    search: Sequence[Fragment] = ()
    search_columns: Sequence[str] = ()
    json_columns: Sequence[str] = ()
    guards: Sequence[Guard] = ()
    has_version: bool = True
    sqlite_after_insert: Sequence[str] = ()
    sqlite_after_update: Sequence[str] = ()
