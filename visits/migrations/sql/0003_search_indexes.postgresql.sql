CREATE INDEX visits_visit_search ON visits_visit USING gin ((array_to_tsvector((array_remove(string_to_array(left(search_text, 200000), ' '), '')::varchar(65)[])::text[])));
