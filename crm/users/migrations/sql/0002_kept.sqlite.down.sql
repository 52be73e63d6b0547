DROP TRIGGER users_user_keep_insert;
-- end of statement
DROP TRIGGER users_user_keep_update;
-- end of statement
DROP TRIGGER users_user_phone_e164_insert;
-- end of statement
DROP TRIGGER users_user_phone_e164_update;
-- end of statement
DROP TRIGGER users_user_district_in_city_insert;
-- end of statement
DROP TRIGGER users_user_district_in_city_update;
