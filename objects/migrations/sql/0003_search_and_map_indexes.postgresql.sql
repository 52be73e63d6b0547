CREATE INDEX objects_object_point ON objects_object USING gist (point(gps_lng, gps_lat));
CREATE INDEX objects_object_search ON objects_object USING gin ((array_to_tsvector((array_remove(string_to_array(left(search_text, 200000), ' '), '')::varchar(65)[])::text[])));
CREATE INDEX objects_object_tags ON objects_object USING gin (tags jsonb_path_ops);
