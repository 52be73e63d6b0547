"""A migration's frozen trigger SQL, and how it is generated from the tables' descriptions.

An app that keeps tables has a module `kept` with `FROZEN`, a list of `Freeze`. `manage.py freeze_triggers`
writes the files; a test compares them with what the descriptions generate, so that neither can drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.db.triggers import postgresql, sqlite
from crm.db.triggers.spec import Dialects, KeptTable

STATEMENT_END = sqlite.STATEMENT_END


def made_while_in_use(statement: str) -> str:
    """The statement `CREATE INDEX name …` for a table in use: writers go on; outside of a transaction only.

    What stopped half-way leaves an index that serves nobody and is in the way of the next try: it goes first.
    """
    name = statement.split()[2]
    made = statement.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1)
    return STATEMENT_END.join((dropped_while_in_use(name), made))


def dropped_while_in_use(name: str) -> str:
    """The statement that drops an index of a table in use; outside of a transaction only."""
    return f"DROP INDEX CONCURRENTLY IF EXISTS {name};"


@dataclass(frozen=True)
class Freeze:
    """The SQL of one migration: the tables it keeps, and further statements (up and down)."""

    folder: Path
    name: str
    tables: Sequence[KeptTable] = ()
    also: Dialects | None = None
    also_down: Dialects | None = None

    def files(self) -> dict[Path, str]:
        """Path → text of the four files."""
        up = {"postgresql": [], "sqlite": []}  # type: dict[str, list[str]]
        down = {"postgresql": [], "sqlite": []}  # type: dict[str, list[str]]
        for table in self.tables:
            up["postgresql"].append(postgresql.keep_sql(table))
            up["sqlite"].append(sqlite.keep_sql(table))
            down["postgresql"].append(postgresql.forget_sql(table))
            down["sqlite"].append(sqlite.forget_sql(table))
        for statements, extra, first in ((up, self.also, False), (down, self.also_down, True)):
            for engine in ("postgresql", "sqlite"):
                if extra is not None:
                    text = getattr(extra, engine).strip() + "\n"
                    statements[engine].insert(0 if first else len(statements[engine]), text)
        stem = self.folder / "sql" / self.name
        written = {}
        for engine in ("postgresql", "sqlite"):
            written[stem.with_name(f"{self.name}.{engine}.sql")] = STATEMENT_END.join(up[engine])
            written[stem.with_name(f"{self.name}.{engine}.down.sql")] = STATEMENT_END.join(
                down[engine]
            )
        return written
