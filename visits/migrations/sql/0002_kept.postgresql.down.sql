DROP TRIGGER visits_visit_not_orphaned ON objects_object;
DROP FUNCTION visits_visit_not_orphaned();
DROP TRIGGER visits_visit_customer_renamed ON clients_customer;
DROP TRIGGER visits_visit_engineer_renamed ON users_user;
DROP TRIGGER visits_visit_address_changed ON objects_object;
DROP FUNCTION visits_visit_name_changed();
DROP TRIGGER visits_visit_removed ON visits_visit;
DROP TRIGGER visits_visit_moved ON visits_visit;
DROP FUNCTION visits_visit_moved();
DROP TRIGGER visits_visit_inserted ON visits_visit;
DROP FUNCTION visits_visit_inserted();
DROP FUNCTION visits_recount(uuid[], uuid[]);

-- end of statement
DROP TRIGGER visits_visit_keep ON visits_visit;
DROP FUNCTION visits_visit_keep();
