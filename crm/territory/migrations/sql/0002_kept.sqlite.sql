CREATE TRIGGER territory_city_keep_insert AFTER INSERT ON territory_city BEGIN
  UPDATE crm_feed_clock SET keeping = 1 WHERE id = 1;
  UPDATE territory_city SET
    created_at = replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', ''),
    updated_at = replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '')
  WHERE id = NEW.id;
  UPDATE crm_feed_clock SET keeping = 0 WHERE id = 1;
END;
-- end of statement
CREATE TRIGGER territory_city_keep_update AFTER UPDATE ON territory_city
WHEN (SELECT keeping FROM crm_feed_clock WHERE id = 1) = 0 AND (NEW.name IS NOT OLD.name OR NEW.time_zone IS NOT OLD.time_zone OR NEW.created_at IS NOT OLD.created_at OR NEW.updated_at IS NOT OLD.updated_at)
BEGIN
  UPDATE crm_feed_clock SET keeping = 1 WHERE id = 1;
  UPDATE territory_city SET
    created_at = OLD.created_at,
    updated_at = CASE WHEN (NEW.name IS NOT OLD.name OR NEW.time_zone IS NOT OLD.time_zone) THEN max(replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', ''), replace(strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds'), '.000000', '')) ELSE OLD.updated_at END
  WHERE id = NEW.id;
  UPDATE crm_feed_clock SET keeping = 0 WHERE id = 1;
END;

-- end of statement
CREATE TRIGGER territory_district_keep_insert AFTER INSERT ON territory_district BEGIN
  UPDATE crm_feed_clock SET keeping = 1 WHERE id = 1;
  UPDATE territory_district SET
    created_at = replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', ''),
    updated_at = replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '')
  WHERE id = NEW.id;
  UPDATE crm_feed_clock SET keeping = 0 WHERE id = 1;
END;
-- end of statement
CREATE TRIGGER territory_district_keep_update AFTER UPDATE ON territory_district
WHEN (SELECT keeping FROM crm_feed_clock WHERE id = 1) = 0 AND (NEW.name IS NOT OLD.name OR NEW.city_id IS NOT OLD.city_id OR NEW.created_at IS NOT OLD.created_at OR NEW.updated_at IS NOT OLD.updated_at)
BEGIN
  UPDATE crm_feed_clock SET keeping = 1 WHERE id = 1;
  UPDATE territory_district SET
    created_at = OLD.created_at,
    updated_at = CASE WHEN (NEW.name IS NOT OLD.name OR NEW.city_id IS NOT OLD.city_id) THEN max(replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', ''), replace(strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds'), '.000000', '')) ELSE OLD.updated_at END
  WHERE id = NEW.id;
  UPDATE crm_feed_clock SET keeping = 0 WHERE id = 1;
END;
-- end of statement
CREATE TRIGGER territory_district_city_stays_update BEFORE UPDATE OF city_id ON territory_district
WHEN (NEW.city_id IS NOT OLD.city_id) AND (EXISTS (SELECT 1 FROM users_user u WHERE u.district_id = NEW.id))
BEGIN SELECT RAISE(ABORT, 'guard: territory_district_city_stays'); END;
