DROP TRIGGER audit_append_only_update;
-- end of statement
DROP TRIGGER audit_append_only_delete;
-- end of statement
DROP TRIGGER audit_append_only_replace;
-- end of statement
DROP TABLE crm_gate_audit_prune;
