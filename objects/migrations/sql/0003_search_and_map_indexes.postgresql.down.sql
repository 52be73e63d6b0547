DROP INDEX objects_object_tags;
DROP INDEX objects_object_search;
DROP INDEX objects_object_point;
