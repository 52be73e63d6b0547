DROP TRIGGER objects_unit_not_orphaned;
-- end of statement
DROP TRIGGER objects_object_district_moved;
-- end of statement
DROP TRIGGER objects_object_district_renamed;
-- end of statement
DROP TRIGGER objects_object_city_renamed;

-- end of statement
DROP TRIGGER objects_object_keep_insert;
-- end of statement
DROP TRIGGER objects_object_keep_update;
-- end of statement
DROP TRIGGER objects_object_address_too_short_insert;
-- end of statement
DROP TRIGGER objects_object_address_too_short_update;
-- end of statement
DROP TRIGGER objects_object_district_in_city_insert;
-- end of statement
DROP TRIGGER objects_object_district_in_city_update;
-- end of statement
DROP TRIGGER objects_object_responsible_active_insert;
-- end of statement
DROP TRIGGER objects_object_responsible_active_update;
-- end of statement
DROP TRIGGER objects_object_contact_phone_e164_insert;
-- end of statement
DROP TRIGGER objects_object_contact_phone_e164_update;
-- end of statement
DROP TRIGGER objects_object_tags_are_strings_insert;
-- end of statement
DROP TRIGGER objects_object_tags_are_strings_update;

-- end of statement
DROP TRIGGER objects_unit_keep_insert;
-- end of statement
DROP TRIGGER objects_unit_keep_update;
-- end of statement
DROP TRIGGER objects_unit_object_stays_update;
-- end of statement
DROP TRIGGER objects_unit_object_live_insert;
-- end of statement
DROP TRIGGER objects_unit_object_live_update;
-- end of statement
DROP TRIGGER objects_unit_number_blank_insert;
-- end of statement
DROP TRIGGER objects_unit_number_blank_update;
-- end of statement
DROP TRIGGER objects_unit_attributes_object_insert;
-- end of statement
DROP TRIGGER objects_unit_attributes_object_update;
