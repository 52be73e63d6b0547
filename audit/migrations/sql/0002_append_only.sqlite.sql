CREATE TABLE crm_gate_audit_prune (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)
-- end of statement
INSERT INTO crm_gate_audit_prune (id, state) VALUES (1, 'closed')
-- end of statement
CREATE TRIGGER audit_append_only_update BEFORE UPDATE ON audit_auditentry
BEGIN SELECT RAISE(ABORT, 'guard: audit_append_only'); END;
-- end of statement
CREATE TRIGGER audit_append_only_delete BEFORE DELETE ON audit_auditentry
WHEN NOT ((SELECT state FROM crm_gate_audit_prune) = 'open')
BEGIN SELECT RAISE(ABORT, 'guard: audit_append_only'); END;
-- end of statement
CREATE TRIGGER audit_append_only_replace BEFORE INSERT ON audit_auditentry
WHEN EXISTS (SELECT 1 FROM audit_auditentry WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM audit_auditentry WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'guard: audit_append_only'); END;
