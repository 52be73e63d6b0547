DROP TRIGGER audit_append_only ON audit_auditentry;
-- end of statement
DROP FUNCTION audit_append_only();
