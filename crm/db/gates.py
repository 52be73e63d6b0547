"""Gates: what triggers forbid unless the transaction at hand has opened them.

PostgreSQL: a setting of the transaction. SQLite: a row of the gate's own table, opened and closed in the
transaction, which nobody else can write in meanwhile. Triggers ask with the condition of `gate_is_open`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

from crm.db.triggers.spec import Dialects

_OPENING = {
    "postgresql": "SELECT set_config('crm.{name}', '{state}', true)",
    "sqlite": "UPDATE crm_gate_{name} SET state = '{state}'",
}


def gate_is_open(name: str) -> Dialects:
    """The condition for triggers."""
    return Dialects(
        postgresql=f"coalesce(current_setting('crm.{name}', true), '') = 'open'",
        sqlite=f"(SELECT state FROM crm_gate_{name}) = 'open'",
    )


def gate_table_sql(name: str) -> str:
    """SQLite's statement that makes the gate; it has one row for ever."""
    return (
        f"CREATE TABLE crm_gate_{name} (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)"
    )


def gate_sql(connection: BaseDatabaseWrapper, name: str, state: str) -> str:
    """The statement that opens ('open') or closes ('closed') the gate."""
    return _OPENING[connection.vendor].format(name=name, state=state)


@contextmanager
def gate_opened(connection: BaseDatabaseWrapper, name: str) -> Iterator[None]:
    """Open the gate inside the block.

    Raises RuntimeError outside a transaction: it must close with it, whatever happens.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A gate opens only inside a transaction.")
    with connection.cursor() as cursor:
        cursor.execute(gate_sql(connection, name, "open"))
        yield
        cursor.execute(gate_sql(connection, name, "closed"))
