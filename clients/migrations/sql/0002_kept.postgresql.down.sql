DROP TRIGGER clients_customer_not_orphaned ON objects_object;
DROP FUNCTION clients_customer_not_orphaned();
DROP TRIGGER clients_customer_address_changed ON objects_object;
DROP FUNCTION clients_customer_address_changed();

-- end of statement
DROP TRIGGER clients_customer_keep ON clients_customer;
DROP FUNCTION clients_customer_keep();
