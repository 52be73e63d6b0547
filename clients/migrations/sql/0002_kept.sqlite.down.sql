DROP TRIGGER clients_customer_not_orphaned;
-- end of statement
DROP TRIGGER clients_customer_address_changed;

-- end of statement
DROP TRIGGER clients_customer_keep_insert;
-- end of statement
DROP TRIGGER clients_customer_keep_update;
-- end of statement
DROP TRIGGER clients_customer_object_stays_update;
-- end of statement
DROP TRIGGER clients_customer_object_live_insert;
-- end of statement
DROP TRIGGER clients_customer_object_live_update;
-- end of statement
DROP TRIGGER clients_customer_unit_of_object_insert;
-- end of statement
DROP TRIGGER clients_customer_unit_of_object_update;
-- end of statement
DROP TRIGGER clients_customer_phone_e164_insert;
-- end of statement
DROP TRIGGER clients_customer_phone_e164_update;
-- end of statement
DROP TRIGGER clients_customer_interests_known_insert;
-- end of statement
DROP TRIGGER clients_customer_interests_known_update;
-- end of statement
DROP TRIGGER clients_customer_call_time_insert;
-- end of statement
DROP TRIGGER clients_customer_call_time_update;
