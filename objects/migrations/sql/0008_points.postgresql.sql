DROP INDEX CONCURRENTLY IF EXISTS objects_object_place;
-- end of statement
CREATE INDEX CONCURRENTLY objects_object_place ON objects_object USING gist (point(gps_lng + 1000, gps_lat + 1000));
-- end of statement
DROP INDEX CONCURRENTLY IF EXISTS objects_object_point;
