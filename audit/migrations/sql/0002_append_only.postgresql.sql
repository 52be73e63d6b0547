CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND coalesce(current_setting('crm.audit_prune', true), '') = 'open' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = '23514',
    CONSTRAINT = 'audit_append_only', TABLE = TG_TABLE_NAME;
END $$;
-- end of statement
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
