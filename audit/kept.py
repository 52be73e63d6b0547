"""What the database itself keeps of the trail: entries come, and never change or go.

Only `audit.pruning` opens the gate, and only for deleting.
"""

from pathlib import Path

from crm.db.gates import gate_is_open, gate_table_sql
from crm.db.triggers.freezing import STATEMENT_END, Freeze
from crm.db.triggers.spec import Dialects

TABLE = "audit_auditentry"
GUARD = "audit_append_only"
PRUNE_GATE = "audit_prune"

OPEN = gate_is_open(PRUNE_GATE)

# Of the whole statement, not of its rows: it costs nothing per entry, and refuses what would hit none.
POSTGRESQL = f"""\
CREATE FUNCTION {GUARD}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND {OPEN.postgresql} THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = '23514',
    CONSTRAINT = '{GUARD}', TABLE = TG_TABLE_NAME;
END $$;
{STATEMENT_END.strip()}
CREATE TRIGGER {GUARD} BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION {GUARD}();
"""

# INSERT OR REPLACE deletes the row in its way without asking delete triggers.
SQLITE = f"""\
{gate_table_sql(PRUNE_GATE)}
{STATEMENT_END.strip()}
INSERT INTO crm_gate_{PRUNE_GATE} (id, state) VALUES (1, 'closed')
{STATEMENT_END.strip()}
CREATE TRIGGER {GUARD}_update BEFORE UPDATE ON {TABLE}
BEGIN SELECT RAISE(ABORT, 'guard: {GUARD}'); END;
{STATEMENT_END.strip()}
CREATE TRIGGER {GUARD}_delete BEFORE DELETE ON {TABLE}
WHEN NOT ({OPEN.sqlite})
BEGIN SELECT RAISE(ABORT, 'guard: {GUARD}'); END;
{STATEMENT_END.strip()}
CREATE TRIGGER {GUARD}_replace BEFORE INSERT ON {TABLE}
WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM {TABLE} WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'guard: {GUARD}'); END;
"""

POSTGRESQL_DOWN = f"""\
DROP TRIGGER {GUARD} ON {TABLE};
{STATEMENT_END.strip()}
DROP FUNCTION {GUARD}();
"""
SQLITE_DOWN = STATEMENT_END.join(
    [
        *(f"DROP TRIGGER {GUARD}_{event};" for event in ("update", "delete", "replace")),
        f"DROP TABLE crm_gate_{PRUNE_GATE};",
    ]
)

FROZEN = [
    Freeze(
        Path(__file__).parent / "migrations",
        "0002_append_only",
        also=Dialects(POSTGRESQL, SQLITE),
        also_down=Dialects(POSTGRESQL_DOWN, SQLITE_DOWN),
    )
]
