CREATE INDEX clients_customer_search ON clients_customer USING gin ((array_to_tsvector((array_remove(string_to_array(left(search_text, 200000), ' '), '')::varchar(65)[])::text[])));
CREATE INDEX clients_customer_interests ON clients_customer USING gin (interests jsonb_path_ops);
