CREATE STATISTICS clients_customer_answers_met (mcv) ON provider_rating, satisfied, gdpr_consent FROM clients_customer;
-- end of statement
ANALYZE clients_customer;
