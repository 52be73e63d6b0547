DROP INDEX CONCURRENTLY IF EXISTS objects_unit_search;
-- end of statement
CREATE INDEX CONCURRENTLY objects_unit_search ON objects_unit USING gin ((array_to_tsvector((array_remove(string_to_array(left(search_text, 200000), ' '), '')::varchar(65)[])::text[])));
