DROP INDEX CONCURRENTLY IF EXISTS objects_object_point;
-- end of statement
CREATE INDEX CONCURRENTLY objects_object_point ON objects_object USING gist (point(gps_lng, gps_lat));
