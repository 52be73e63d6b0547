DROP TRIGGER visits_visit_not_orphaned;
-- end of statement
DROP TRIGGER visits_visit_customer_renamed;
-- end of statement
DROP TRIGGER visits_visit_engineer_renamed;
-- end of statement
DROP TRIGGER visits_visit_address_changed;
-- end of statement
DROP TRIGGER visits_visit_removed;

-- end of statement
DROP TRIGGER visits_visit_keep_insert;
-- end of statement
DROP TRIGGER visits_visit_keep_update;
-- end of statement
DROP TRIGGER visits_visit_status_move_update;
-- end of statement
DROP TRIGGER visits_visit_object_stays_update;
-- end of statement
DROP TRIGGER visits_visit_object_live_insert;
-- end of statement
DROP TRIGGER visits_visit_object_live_update;
-- end of statement
DROP TRIGGER visits_visit_unit_of_object_insert;
-- end of statement
DROP TRIGGER visits_visit_unit_of_object_update;
-- end of statement
DROP TRIGGER visits_visit_customer_of_object_insert;
-- end of statement
DROP TRIGGER visits_visit_customer_of_object_update;
-- end of statement
DROP TRIGGER visits_visit_engineer_active_insert;
-- end of statement
DROP TRIGGER visits_visit_engineer_active_update;
-- end of statement
DROP TRIGGER visits_visit_outcome_blank_insert;
-- end of statement
DROP TRIGGER visits_visit_outcome_blank_update;
-- end of statement
DROP TRIGGER visits_visit_interests_known_insert;
-- end of statement
DROP TRIGGER visits_visit_interests_known_update;
-- end of statement
DROP TRIGGER visits_visit_started_before_finished_insert;
-- end of statement
DROP TRIGGER visits_visit_started_before_finished_update;
