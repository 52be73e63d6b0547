DROP TRIGGER objects_unit_not_orphaned ON objects_object;
DROP FUNCTION objects_unit_not_orphaned();
DROP TRIGGER objects_object_district_moved ON territory_district;
DROP TRIGGER objects_object_district_renamed ON territory_district;
DROP TRIGGER objects_object_city_renamed ON territory_city;
DROP TRIGGER objects_access_responsibility_moves ON objects_object;
DROP TRIGGER objects_access_responsibility_begins ON objects_object;
DROP FUNCTION objects_object_district_moved();
DROP FUNCTION objects_object_place_renamed();
DROP FUNCTION objects_access_responsibility();

-- end of statement
DROP TRIGGER objects_object_keep ON objects_object;
DROP FUNCTION objects_object_keep();

-- end of statement
DROP TRIGGER objects_unit_keep ON objects_unit;
DROP FUNCTION objects_unit_keep();
