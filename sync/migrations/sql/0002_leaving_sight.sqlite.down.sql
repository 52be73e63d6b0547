DROP TRIGGER sync_visit_left;
-- end of statement
DROP TRIGGER sync_access_ended;
-- end of statement
DROP TRIGGER sync_object_moved;
