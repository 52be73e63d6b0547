DROP TRIGGER territory_city_keep ON territory_city;
DROP FUNCTION territory_city_keep();

-- end of statement
DROP TRIGGER territory_district_keep ON territory_district;
DROP FUNCTION territory_district_keep();
