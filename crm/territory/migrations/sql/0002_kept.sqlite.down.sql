DROP TRIGGER territory_city_keep_insert;
-- end of statement
DROP TRIGGER territory_city_keep_update;

-- end of statement
DROP TRIGGER territory_district_keep_insert;
-- end of statement
DROP TRIGGER territory_district_keep_update;
-- end of statement
DROP TRIGGER territory_district_city_stays_update;
