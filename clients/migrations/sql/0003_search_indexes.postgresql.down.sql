DROP INDEX clients_customer_interests;
DROP INDEX clients_customer_search;
